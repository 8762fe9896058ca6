# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The rate of packets through a guest's interface, with and without the filter of
# ip=. The host has a bridge, and on it the interface wire, whose other end is
# the interface sink (host_filter). Sourced by the driver.

packets_destination=02:00:00:00:00:99 # behind wire
packets_number=10000                  # in one measurement
declare -A packets_guest=([open]=2 [filtered]=3 [forward]=4)

# packets <others>
# Records the rate through both interfaces, in turn.
packets() {
	local kind=packets others=$1 at_once=1 label type who=ours verb i
	use_case "packets:$1:1"
	kind=filter type=vif
	for verb in open filtered; do
		packets_attach "${packets_guest[$verb]}"
	done
	for ((i = 0; i < 20; i++)); do
		((i % 2)) && verb=open || verb=filtered
		packets_rate "${packets_guest[$verb]}"
	done
	for verb in open filtered; do
		packets_call "${packets_guest[$verb]}" offline
	done
}

# forward <others>
# Records the rate through an interface whose packets br_netfilter shows to iptables,
# with that many others that were attached in the same way (host_forward).
forward() {
	local kind=forward others=$1 at_once=1 label type who=ours verb=open i
	use_case "forward:$1:1"
	kind=filter type=vif
	forward_attach "${packets_guest[forward]}"
	for ((i = 1000; i < 1000 + others; i++)); do
		forward_attach "$i"
	done
	for ((i = 0; i < 10; i++)); do
		packets_rate "${packets_guest[forward]}"
	done
}

# forward_attach <domid>
# Unless it is attached.
forward_attach() {
	[[ ! -e /run/xen-hotplug/vif-$1-0 ]] || return 0
	new_vif "$1" bridge xenbr0 mac 00:16:3e:00:00:04
	packets_start "$1"
}

# packets_attach <domid>
packets_attach() {
	local pairs=(bridge xenbr0 mac "00:16:3e:00:00:0$1")
	[[ $verb == open ]] || pairs+=(ip "192.0.2.$1 fd00::$1")
	new_vif "$1" "${pairs[@]}"
	packets_start "$1"
}

# packets_start <domid>
# Attaches it, and waits until its packets pass.
packets_start() {
	packets_call "$1" online
	ip link set "guest$1.0" up
	until_true grep -qx 3 "/sys/class/net/vif$1.0/brport/state" || abort "the bridge does not forward for guest $1" # 3 is forwarding
}

# packets_call <domid> <verb>
packets_call() {
	local line environment
	script_line "$1"
	line[1]=$2
	(export "${environment[@]}" && exec "${line[@]}") </dev/null >"$BATS_TEST_TMPDIR/output.$1" 2>&1 || abort "$2 failed"
}

# packets_rate <domid>
# Records how many packets come through in a second. All have to.
packets_rate() {
	local before after started ended pid in
	coproc flood { exec "$root/tests/frames/flood" "guest$1.0" "00:16:3e:00:00:0$1" "$packets_destination" "fd00::$1"; }
	pid=$! in=${flood[1]}
	read -r _ <&"${flood[0]}" || abort 'tests/frames/flood did not start'
	read -r before </sys/class/net/sink/statistics/rx_packets
	now started
	printf '%s\n' "$packets_number" >&"$in"
	read -r _ <&"${flood[0]}" || abort 'tests/frames/flood failed'
	now ended
	read -r after </sys/class/net/sink/statistics/rx_packets
	((after - before >= packets_number)) || abort "$((after - before)) of $packets_number packets arrived"
	record rate $((packets_number * 1000000 / (ended - started)))
	exec {in}>&-
	wait "$pid" || abort 'tests/frames/flood failed'
}
