#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Guests in VLANs; in the world, all frames have their tag.

load ../lib/xen.bash
load ../lib/network.bash
teardown() {
	e2e_teardown
	network_stop
}
setup() {
	guest web 11
	network_start
	world_has_vlans 10 20 30
	world_has world.10 10.9.1.2/24 fd00:9:1::2/64
	world_has world.20 10.9.20.2/24 fd00:9:20::2/64
	world_has world.30 10.9.30.2/24 fd00:9:30::2/64
}

# is_in_its_vlans <command>...
# The guest is in VLAN 10 without a tag and in 20 with one. In 30 it is only
# after the command has let it in.
is_in_its_vlans() {
	web_has_vlan 20
	web_has_vlan 30
	web_reaches 10.9.1.2 fd00:9:1::2 10.9.20.2 fd00:9:20::2
	web_is_cut_off_from 10.9.30.2 fd00:9:30::2
	"$@"
	web_reaches 10.9.30.2 fd00:9:30::2
}

@test "on a bridge, a guest is in the VLANs of its vlan= until it is detached" {
	ip link set wire master vlanbr0
	bridge vlan add dev wire vid 10-30
	vlan_word 10p/20
	before=$(network)
	web_attach bridge=vlanbr0 "$vlan"
	is_in_its_vlans bridge vlan add dev "vif$(xl domid web).1" vid 30
	xl network-detach web 1
	same_network "$before"
}

@test "on Open vSwitch, a guest is in the VLANs of its bridge= until its port is removed" {
	vsctl add-port ovs0 wire
	before=$(network)
	web_attach script=vif-openvswitch bridge=ovs0.10:20
	is_in_its_vlans vsctl set port "vif$(xl domid web).1" trunks=20,30
	xl network-detach web 1
	same_network "$before"
}
