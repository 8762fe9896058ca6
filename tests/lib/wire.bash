# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A host with a bridge, and something at another port of it than a guest's:
# whose frames reach the guest, and who gets the guest's. Sourced by bats files,
# after host.bash.

# wire_host
# Starts the host, with a bridge xenbr0 that forwards from the start; what is
# sent to the interface other comes to its port wire.
wire_host() {
	host_start
	domain 1
	host ip link add xenbr0 up type bridge forward_delay 0 mcast_snooping 0
	host ip link add wire type veth peer name other
	host ip link set wire master xenbr0 up
	host ip link set other up
}

# wire_stop
# Takes the port away, or it passes for one that was left, and stops the host.
wire_stop() {
	host ip link delete wire
	host_stop
}
