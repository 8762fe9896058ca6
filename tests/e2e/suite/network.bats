#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Ways to connect a guest, each with the addresses that it may use. The guest's
# second interface always has 10.9.1.11 and fd00:9:1::11.

load ../lib/xen.bash
teardown() {
	! ovs-vsctl --if-exists del-br ovs0 2>/dev/null || home_of_guests xenbr0
	e2e_teardown
}
setup() {
	guest web 11
	before=$(residue)
	had=$(said web 'has eth1')
}

# home_of_guests <interface>
# Where dom0 has its own addresses of the guests' second network.
home_of_guests() {
	ip address flush dev xenbr0 to 10.9.1.0/24
	ip -6 address flush dev xenbr0 to fd00:9:1::/64
	ip address add 10.9.1.1/24 dev "$1"
	ip address add fd00:9:1::1/64 dev "$1" nodad
}

# answers, silent
# The guest's second interface, when it has its addresses.
answers() {
	guest_answers 10.9.1.11
	guest_answers fd00:9:1::11
}
silent() {
	within 30 said_more web 'has eth1' "$had"
	# It has what it needs to answer; so these are not too early.
	run ! ping -c 5 -W 1 10.9.1.11
	run ! ping -c 5 -W 1 fd00:9:1::11
}

# nothing_left
nothing_left() {
	xl network-detach web 1
	same_residue "$before"
	[[ $(nft list ruleset) != *chain*vif* ]]
	[[ ! $(ip -4 route show 10.9.1.11) && ! $(ip -6 route show fd00:9:1::11) ]]
}

@test "on a bridge a guest may use the addresses of its ip=" {
	xl network-attach web bridge=xenbr0 ip='10.9.1.11 fd00:9:1::11'
	answers
	nothing_left
}

@test "on a bridge a guest that uses others than those of its ip= is cut off" {
	xl network-attach web bridge=xenbr0 ip='10.9.1.12 fd00:9:1::12'
	silent
	nothing_left
}

@test "a guest that this host routes to may use the addresses of its ip=, and its routes go with it" {
	xl network-attach web script=vif-route gatewaydev=xenbr0 ip='10.9.1.11 fd00:9:1::11'
	answers
	nothing_left
}

@test "on Open vSwitch a guest may use the addresses of its ip=, and its port goes with it" {
	ovs-vsctl add-br ovs0
	ip link set ovs0 up
	home_of_guests ovs0
	xl network-attach web script=vif-openvswitch bridge=ovs0 ip='10.9.1.11 fd00:9:1::11'
	answers
	[[ $(ovs-vsctl list-ports ovs0) == vif*.1 ]]
	nothing_left
	[[ ! $(ovs-vsctl list-ports ovs0) ]]
}

@test "on Open vSwitch a guest that uses others than those of its ip= is cut off" {
	ovs-vsctl add-br ovs0
	ip link set ovs0 up
	home_of_guests ovs0
	xl network-attach web script=vif-openvswitch bridge=ovs0 ip='10.9.1.12 fd00:9:1::12'
	silent
	nothing_left
}
