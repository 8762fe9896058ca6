# SPDX-License-Identifier: LGPL-2.1-only
# vif-route, as libxl calls it: what Xen's own script does, by IPv4, which is
# all that it knows, and any other has to do.

load ../lib/host
load ../lib/observe
load ../lib/routed
load ../lib/ifconfig

setup() {
	routed_host
	ifconfig_stand_in
}

teardown() {
	routed_stop
	host_stop
}

# go_online <domid> <devid>
# A test of what follows must not begin without it.
go_online() {
	route_online "$1" "$2" && assert_node "backend/vif/$1/$2/hotplug-status" connected
}

# route_of <address>
# The interface, source and metric of each route to it.
route_of() {
	host ip -json route show "$1" | jq -r '.[] | "\(.dev) from \(.prefsrc), \(.metric)"'
}

@test "contract: vif-route: online routes each address to the vif, with the host's address as source" {
	vif 1 0 ip '198.51.100.5 198.51.100.64/26'
	go_online 1 0
	[[ "$(route_of 198.51.100.5)" == 'vif1.0 from 192.0.2.1, 2' ]]
	[[ "$(route_of 198.51.100.64/26)" == 'vif1.0 from 192.0.2.1, 2' ]]
}

@test "contract: vif-route: the vif is up with the host's address and proxy ARP" {
	vif 1 0 ip 198.51.100.5
	go_online 1 0
	[[ "$(addresses_of vif1.0)" == '192.0.2.1/32 ' ]]
	assert_link_up vif1.0
	[[ "$(host cat /proc/sys/net/ipv4/conf/vif1.0/proxy_arp)" == 1 ]]
}

@test "contract: vif-route: without ip=, online succeeds without a route" {
	vif 1 0
	go_online 1 0
	[[ "$(addresses_of vif1.0)" == '192.0.2.1/32 ' ]]
	[[ ! "$(host ip route show dev vif1.0)" ]]
}

@test "contract: vif-route: the host's address is from the interface that libxl names" {
	local environment
	vif_link dmz0 dmz1
	host ip address add 203.0.113.1/24 dev dmz0
	host ip link set dmz0 up
	vif 1 0 ip 198.51.100.5 gatewaydev dmz0
	libxl_environment vif 1 0
	host env "${environment[@]}" netdev=dmz0 "$scripts/vif-route" online type_if=vif </dev/null
	[[ "$(route_of 198.51.100.5)" == 'vif1.0 from 203.0.113.1, 2' ]]
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "contract: vif-route: online fails if the host has no such address" {
	host ip address flush dev eth0
	vif 1 0 ip 198.51.100.5
	run route_online 1 0
	assert_failed backend/vif/1/0 error ''
	[[ ! "$(route_of 198.51.100.5)" ]]
}

@test "contract: vif-route: online writes hotplug-status, and no other node" {
	vif 1 0 ip 198.51.100.5
	nodes_remember
	route_online 1 0
	assert_changed 'gone or other: /local/domain/0/backend/vif/1/0/hotplug-status' \
		'/local/domain/0/backend/vif/1/0/hotplug-status = "connected"'
}

@test "contract: vif-route: online that succeeds prints nothing" {
	vif 1 0 ip 198.51.100.5
	run route_online 1 0
	[[ "$status" -eq 0 && -z "$output" ]]
}

@test "contract: vif-route: offline removes the routes, writes no node, and succeeds twice" {
	vif 1 0 ip '198.51.100.5 198.51.100.64/26'
	go_online 1 0
	nodes_remember
	route_offline 1 0
	[[ ! "$(route_of 198.51.100.5)$(route_of 198.51.100.64/26)" ]]
	route_offline 1 0
	assert_at_most_gone backend/vif/1/0 hotplug-status
}

@test "contract: vif-route: offline succeeds without an online" {
	vif 1 0 ip 198.51.100.5
	route_offline 1 0
}

@test "contract: vif-route: offline succeeds without the vif, and without the guest's own nodes" {
	vif 1 0 ip 198.51.100.5
	go_online 1 0
	nodes backend/vif/1/0 online 0 state 5
	xenstore-rm /local/domain/1
	host ip link del vif1.0
	route_offline 1 0
	[[ ! "$(route_of 198.51.100.5)" ]]
}

@test "contract: vif-route: offline of one guest leaves another guest's route unchanged" {
	vif 1 0 ip 198.51.100.5
	vif 2 0 ip 198.51.100.6
	go_online 1 0
	go_online 2 0
	route_offline 1 0
	[[ "$(route_of 198.51.100.6)" == 'vif2.0 from 192.0.2.1, 2' ]]
}

@test "contract: vif-route: a vifname becomes the interface's name" {
	vif 1 0 ip 198.51.100.5 vifname web0
	go_online 1 0
	[[ "$(route_of 198.51.100.5)" == 'web0 from 192.0.2.1, 2' ]]
	run ! host ip link show dev vif1.0
	route_offline 1 0
	[[ ! "$(route_of 198.51.100.5)" ]]
}

@test "contract: vif-route: a tap's route has precedence over its vif's, and its calls write no node" {
	vif 1 0 ip 198.51.100.5 type vif_ioemu
	vif_link vif1.0-emu tap1.0
	go_online 1 0
	nodes_remember
	call vif-route add vif 1 0 type_if=tap
	[[ "$(route_of 198.51.100.5)" == $'vif1.0-emu from 192.0.2.1, 1\nvif1.0 from 192.0.2.1, 2' ]]
	[[ "$(addresses_of vif1.0-emu)" == '192.0.2.1/32 ' ]]
	assert_link_up vif1.0-emu
	call vif-route remove vif 1 0 type_if=tap
	[[ "$(route_of 198.51.100.5)" == 'vif1.0 from 192.0.2.1, 2' ]]
	assert_changed
}

@test "contract: vif-route: packets pass between the guest and the network in both directions" {
	vif 1 0 ip 198.51.100.5
	go_online 1 0
	space inside guest1.0 198.51.100.5/32
	inside inside ip route add 192.0.2.1 dev guest1.0
	inside inside ip route add default via 192.0.2.1
	reaches inside 192.0.2.9
	reaches outside 198.51.100.5
}
