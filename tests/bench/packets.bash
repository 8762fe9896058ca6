# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# How fast packets come through a guest's interface, with and without the filter
# of ip=. Sourced by the driver. The host has what run makes for it: a bridge,
# and on it the interface wire, whose other end is sink.

packets_destination=02:00:00:00:00:99 # behind wire
packets_number=4000                   # in one measurement
declare -A packets_guest=([open]=2 [filtered]=3)

# packets_measure <how often>
# Prints the records of packets through one interface and the other, in turn.
packets_measure() {
	local who i fd
	local -A senders=() to=() from=()
	for who in open filtered; do
		packets_attach "${packets_guest[$who]}"
		packets_sender "${packets_guest[$who]}"
	done
	for ((i = 0; i < 2 * $1; i++)); do
		((i % 2)) && who=open || who=filtered
		packets_rate
	done
	# All before the first is waited for, as the second inherited one of them.
	for fd in "${to[@]}"; do exec {fd}>&-; done
	for who in open filtered; do
		packets_end "${packets_guest[$who]}"
	done
}

# packets_nodes <domid>
packets_nodes() {
	local nodes=(bridge xenbr0 mac "00:16:3e:00:00:0$1")
	[[ $who == open ]] || nodes+=(ip "192.0.2.$1 fd00::$1")
	fresh_interface "$1" "${nodes[@]}"
}

# packets_attach <domid>
packets_attach() {
	packets_nodes "$1"
	packets_call "$1" online
	ip link set "guest$1.0" up
}

# packets_call <domid> <verb>
# Our script attaches or detaches it.
packets_call() {
	local line environment elapsed verb=$2 kind=$who who=ours
	script_line vif "$1"
	timed "${line[@]}" || abort "it failed for guest $1 ($kind)"
}

# packets_sender <domid>
# Adds to senders, to and from.
packets_sender() {
	local pipe=$BATS_TEST_TMPDIR/sender-$1 fd
	rm -f -- "$pipe".{in,out}
	mkfifo "$pipe".{in,out}
	"$root/tests/frames/flood" "guest$1.0" "00:16:3e:00:00:0$1" "$packets_destination" "fd00::$1" <"$pipe.in" >"$pipe.out" &
	senders[$1]=$!
	exec {fd}>"$pipe.in" && to[$1]=$fd
	exec {fd}<"$pipe.out" && from[$1]=$fd
	read -r _ <&"${from[$1]}" || abort "the sender for guest $1 did not start"
}

# packets_rate
# Prints the record of how many packets of who come through in a second. All do.
packets_rate() {
	local guest=${packets_guest[$who]} before after start elapsed
	read -r before </sys/class/net/sink/statistics/rx_packets
	now start
	printf '%s\n' "$packets_number" >&"${to[$guest]}"
	read -r _ <&"${from[$guest]}" || abort "the sender for guest $guest has ended"
	now elapsed
	read -r after </sys/class/net/sink/statistics/rx_packets
	((after - before >= packets_number)) || abort "$((after - before)) of $packets_number packets arrived from guest $guest"
	record packets rate $((packets_number * 1000000 / (elapsed - start)))
}

# packets_end <domid>
packets_end() {
	local fd=${from[$1]}
	exec {fd}<&-
	wait "${senders[$1]}" || abort "the sender for guest $1 failed"
	packets_call "$1" offline
}
