# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Stores, disks, and hosts in namespaces. A difference in /sys or /etc needs a
# host of its own. Sourced by run.

declare -A host_of   # its name -> the process id
declare -A stand_ins # its name -> the directories of its stand-ins, as in PATH
host_pid=''

# make_disks <number of block devices>
# Images, raw and in the formats of QEMU and of tapdisk; and block devices, which
# are loop devices, as many as guests attach at once.
make_disks() {
	local BATS_TEST_TMPDIR=$BENCH_DISKS i
	mkdir -- "$BENCH_DISKS"
	truncate -s 1M "$BENCH_DISKS/image"
	vhd_image disk.vhd
	qemu-img create -q -f qcow2 "$BENCH_DISKS/disk.qcow2" 4M
	for ((i = 0; i < $1; i++)); do
		truncate -s 1M "$BENCH_DISKS/$i"
		losetup --find --show "$BENCH_DISKS/$i" >>"$BENCH_DISKS/devices"
	done
}

# start_store <other guests> <guests>
# A store with that many other guests' disks, and guests whose disks are to come.
# It keeps no log, because a real store keeps none either.
start_store() {
	local domid BATS_TEST_TMPDIR=$BENCH_STORES/$1
	mkdir -p -- "$BATS_TEST_TMPDIR"
	other_guests "$1" >"$BATS_TEST_TMPDIR/nodes"
	store_start --load "$BATS_TEST_TMPDIR/nodes" --log /dev/null
	for ((domid = 1; domid <= $2; domid++)); do
		domain "$domid"
		store_set "/vm/0000-$domid/name" "guest$domid" "/vm/0000-$domid/uuid" "0000-$domid"
	done
}

# start_host <name> <command>...
# Makes it, and runs the command, which may put stand-ins into PATH.
start_host() {
	local BATS_TEST_TMPDIR=$BENCH_STORES/$1 before=$PATH PATH=$PATH
	mkdir -p -- "$BATS_TEST_TMPDIR"
	# shellcheck disable=SC2119 # this host's store has nodes of no other options
	host_start
	host_of[$1]=$host_pid
	"${@:2}"
	stand_ins[$1]=${PATH%"$before"}
}

# host_nbd
host_nbd() {
	nbd_start
	nbd_serve disk
}

# host_plain
# With a bridge, and eth0, whose addresses vif-route takes.
host_plain() {
	bridge xenbr0
	host ip -batch - <<-END
		link add eth0 type veth peer name outside
		address add 192.0.2.1/24 dev eth0
		address add 2001:db8::1/64 dev eth0 nodad
		link set eth0 up
	END
}

# host_iptables
# With a bridge whose frames br_netfilter shows to an iptables that drops them. The
# driver attaches another guest, because only the first one adds rules.
host_iptables() {
	local command
	bridge xenbr0
	iptables_drops
	for command in iptables ip6tables; do
		# shellcheck disable=SC2016 # the inner shell expands
		host bash -c 'echo 1 >"$1"' - "/proc/sys/net/bridge/bridge-nf-call-$command"
	done
}

# host_ovs
# With a bridge of Open vSwitch, and one of the kernel's for the floor. Other
# scripts have no place here, because the switch looks at each interface's change.
host_ovs() {
	bridge xenbr0
	ovs_start
	ovs_bridge ovs0
}

# host_filter <others>
# With that many other guests' interfaces. Its bridge forwards frames to one MAC
# address to the interface sink.
host_filter() {
	domain 1
	host ip -batch - <<-END
		link add xenbr0 up type bridge forward_delay 0 mcast_snooping 0
		link add wire type veth peer name sink
		link set wire master xenbr0 up
		link set sink up
	END
	host bridge fdb add 02:00:00:00:00:99 dev wire master static
	crowd "$1"
}

# host_served
# With a store for guests whose disks QEMU serves, which the driver starts.
host_served() {
	domain 1
}

# host_forward
# The same without others, and an iptables that drops what br_netfilter shows it.
host_forward() {
	local command
	host_filter 0
	iptables_drops
	for command in iptables ip6tables; do
		# shellcheck disable=SC2016 # the inner shell expands
		host bash -c 'echo 1 >"$1"' - "/proc/sys/net/bridge/bridge-nf-call-$command"
	done
}

# host_iscsi
# With a target that has one disk.
host_iscsi() {
	iscsi_start
	iscsi_delay 0
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	export iqn portal
}

# host_drbd
# r0 is for block-drbd; r1 is as block-drbd-probe has to find it.
host_drbd() {
	drbd_start
	drbd_resource r0
	drbd_resource r1
	: >"$DRBD_STATE/r1/two-primaries"
	drbd_is r1/protocol D
	drbdadm primary r1
}

# stop_hosts
# Ends hosts and stores, and detaches the loop devices. Tolerates half a start.
stop_hosts() {
	local pid STORE_DIR BATS_TEST_TMPDIR=$bench_dir
	[[ ! ${nbd_server_pid-} ]] || nbd_serve_no_more
	ovs_stop
	for pid in "${host_of[@]}" "$host_pid"; do
		[[ ! $pid ]] || { kill "$pid" && wait "$pid"; } 2>/dev/null || :
	done
	for STORE_DIR in "$bench_dir"/stores/*/store; do
		store_stop || :
	done
	[[ ! ${drbd_minors-} ]] || drbd_stop
	[[ ! ${DMSETUP_LOG-} ]] || dmsetup_stop
	host_loops | while read -r loop _; do
		loop_detach "$loop" "$bench_dir"
	done
}
