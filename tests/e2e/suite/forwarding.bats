#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A host whose iptables sees what is bridged, and drops what it does not know.

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
	ip link set wire master xenbr0
	iptables_sees_bridged 1
	iptables -P FORWARD DROP
	ip6tables -P FORWARD DROP
	before=$(network)
}

@test "a guest's rules let it pass an iptables that drops bridged packets, until it is detached" {
	web_attach bridge=xenbr0
	web_reaches 10.9.1.2 fd00:9:1::2
	xl network-detach web 1
	same_network "$before"
	web_attach bridge=xenbr0
	iptables -F FORWARD
	ip6tables -F FORWARD
	web_is_cut_off_from 10.9.1.2 fd00:9:1::2
	iptables -P FORWARD ACCEPT
	ip6tables -P FORWARD ACCEPT
	web_reaches 10.9.1.2 fd00:9:1::2
	xl network-detach web 1
}
