#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Guests that this host routes to.

load ../lib/xen.bash
load ../lib/network.bash
teardown() {
	e2e_teardown
	network_stop
}
setup() {
	guest web 11
	network_start
	world_is_routed
	before=$(network)
}

@test "a guest of vif-route and the network of its gatewaydev reach each other, and nothing is left" {
	web_attach script=vif-route gatewaydev=wire ip='198.51.100.11 2001:db8:1::11'
	web_takes 198.51.100.11/32 2001:db8:1::11/128
	web_goes_through 198.51.100.1 2001:db8:1::1
	web_reaches 198.51.100.2 2001:db8:1::2
	world_reaches 198.51.100.11 2001:db8:1::11
	xl network-detach web 1
	same_network "$before"
}
