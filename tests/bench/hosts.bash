# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Where it is measured: stores, disks, and hosts of namespaces. What differs in
# /sys or /etc is a host of its own. Sourced by run.

declare -A host_of   # its name -> the process id
declare -A stand_ins # its name -> the directories of its stand-ins, as in PATH
by_path=/dev/disk    # where Xen's block-iscsi looks for a link of udev's
by_path_made=''      # whether we have made it
host_pid=''

# make_disks
# An image file, and others in the formats of QEMU and of tapdisk.
make_disks() {
	local BATS_TEST_TMPDIR=$BENCH_DISKS
	mkdir -- "$BENCH_DISKS"
	truncate -s 1M "$BENCH_DISKS/image"
	vhd_image disk.vhd
	qemu-img create -q -f qcow2 "$BENCH_DISKS/disk.qcow2" 4M
	: >"$BENCH_DISKS/devices"
}

# make_devices <number>
# Block devices: loop devices that nothing but the name of their files tells
# from a host's other disks. Few, as those are the machine's.
make_devices() {
	local i
	for ((i = $(wc -l <"$BENCH_DISKS/devices"); i < $1; i++)); do
		truncate -s 1M "$BENCH_DISKS/$i"
		losetup --find --show "$BENCH_DISKS/$i" >>"$BENCH_DISKS/devices"
	done
}

# start_stores <other guests>...
# The stores differ in how many guests with disks they have.
start_stores() {
	local others BATS_TEST_TMPDIR
	for others; do
		BATS_TEST_TMPDIR=$BENCH_STORES/$others
		mkdir -p -- "$BATS_TEST_TMPDIR"
		other_guests "$others" >"$BATS_TEST_TMPDIR/nodes"
		# What a real store does not do is no part of the figures.
		store_start --load "$BATS_TEST_TMPDIR/nodes" --log /dev/null
		domain 1
		store_set /vm/0000-1/name guest1 /vm/0000-1/uuid 0000-1
	done
}

# start_host <name> [command]...
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

# host_plain
# It has a bridge, and eth0, whose addresses vif-route takes.
host_plain() {
	bridge xenbr0
	host ip -batch - <<-END
		link add eth0 type veth peer name outside
		address add 192.0.2.1/24 dev eth0
		address add 2001:db8::1/64 dev eth0 nodad
		link set eth0 up
	END
}

# host_ovs
# With a bridge of Open vSwitch, which looks at each change of an interface: no
# host for the other scripts.
host_ovs() {
	ovs_start
	ovs_bridge ovs0
}

# host_filter <others>
# With so many other guests' interfaces; what comes through its bridge for a
# certain MAC address ends in the interface sink.
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

# host_iscsi
# A target with one LUN, number 0, as Xen's block-iscsi knows no other; and the
# link to it, which is there at once.
host_iscsi() {
	iscsi_start
	iscsi_delay 0
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 0
	export iqn portal
	[[ -d $by_path ]] || { mkdir "$by_path" && by_path_made=1; }
	host mount -t tmpfs tmpfs "$by_path"
	host mkdir "$by_path/by-path"
	host ln -s "$(iscsi_disk "$iqn" 0)" "$by_path/by-path/ip-${portal/,/:}-iscsi-$iqn-lun-0"
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

# host_nbd
host_nbd() {
	nbd_start
	nbd_serve disk
}

# stop_hosts
stop_hosts() {
	local pid
	[[ ! ${nbd_server_pid-} ]] || nbd_serve_no_more
	ovs_stop
	for pid in "${host_of[@]}" "$host_pid"; do
		[[ ! $pid ]] || { kill "$pid" && wait "$pid"; } 2>/dev/null || :
	done
	[[ ! ${drbd_minors-} ]] || drbd_stop
	[[ ! ${DMSETUP_LOG-} ]] || dmsetup_stop
	[[ ! $by_path_made ]] || rmdir --ignore-fail-on-non-empty "$by_path"
}

# stop_stores
stop_stores() {
	local STORE_DIR
	for STORE_DIR in "$bench_dir"/stores/*/store; do
		store_stop
	done
}

# stop_disks
# Wherever the end came.
stop_disks() {
	local BATS_TEST_TMPDIR=$bench_dir
	host_loops | while read -r loop _; do
		loop_detach "$loop" "$bench_dir"
	done
}
