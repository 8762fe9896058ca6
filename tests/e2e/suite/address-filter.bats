#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A guest has the addresses of its ip= and its MAC address, and is cut off when
# it takes others.

load ../lib/xen.bash
load ../lib/network.bash
teardown() {
	e2e_teardown
	network_stop
}
setup() {
	guest web 11
	network_start
	world_has world 10.9.1.2/24 fd00:9:1::2/64
}

# uses_its_own
# The guest reaches the world, but not with other addresses, nor with another MAC address.
uses_its_own() {
	local mac own=(10.9.1.11/24 fd00:9:1::11/64) world=(10.9.1.2 fd00:9:1::2)
	mac=$(xenstore-read "backend/vif/$(xl domid web)/1/mac")
	web_reaches "${world[@]}"
	web_takes 10.9.1.12/24 fd00:9:1::12/64
	web_is_cut_off_from "${world[@]}"
	web_takes_mac 00:16:3e:66:66:66
	web_takes "${own[@]}"
	web_is_cut_off_from "${world[@]}"
	web_takes_mac "$mac"
	web_takes "${own[@]}"
	web_reaches "${world[@]}"
}

@test "on a bridge, a guest can use only its own MAC address and the addresses of its ip=" {
	ip link set wire master xenbr0
	before=$(network)
	web_attach bridge=xenbr0 ip='10.9.1.11 fd00:9:1::11'
	uses_its_own
	xl network-detach web 1
	same_network "$before"
}

@test "on Open vSwitch, a guest can use only its own MAC address and the addresses of its ip=" {
	vsctl add-port ovs0 wire
	before=$(network)
	web_attach script=vif-openvswitch bridge=ovs0 ip='10.9.1.11 fd00:9:1::11'
	uses_its_own
	xl network-detach web 1
	same_network "$before"
}
