# SPDX-License-Identifier: LGPL-2.1-only
# vif-nat, as libxl calls it: what Xen's own script does, by IPv4, and any other
# has to do. Masquerading is no part of it: Xen's leaves that to the host.

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
	nat_online "$1" "$2" && assert_node "backend/vif/$1/$2/hotplug-status" connected
}

# assert_routed <interface> <guest's address> <host's address>
# The host has its address there, alone, and a route from it to the guest.
assert_routed() {
	[[ "$(host ip -json -4 address show dev "$1" | jq -r '.[].addr_info[] | "\(.local)/\(.prefixlen)"')" == "$3/32" ]] || return
	[[ "$(host ip -json route show "$2" | jq -r '.[] | "\(.dev) from \(.prefsrc)"')" == "$1 from $3" ]]
}

@test "contract: vif-nat: without ip=, the addresses are made from the guest's number" {
	vif 1 0
	vif 258 1
	go_online 1 0
	go_online 258 1
	assert_routed vif1.0 10.0.1.1 10.0.1.128
	assert_routed vif258.1 10.1.2.2 10.1.2.129
}

@test "contract: vif-nat: the guest has the address in ip=, and the host that address plus 127" {
	vif 1 0 ip 10.7.0.5
	go_online 1 0
	assert_routed vif1.0 10.7.0.5 10.7.0.132
}

@test "contract: vif-nat: the vif is up with proxy ARP" {
	vif 1 0
	go_online 1 0
	assert_link_up vif1.0
	[[ "$(host cat /proc/sys/net/ipv4/conf/vif1.0/proxy_arp)" == 1 ]]
}

@test "contract: vif-nat: online writes hotplug-status, and no other node" {
	vif 1 0
	nodes_remember
	nat_online 1 0
	assert_changed 'gone or other: /local/domain/0/backend/vif/1/0/hotplug-status' \
		'/local/domain/0/backend/vif/1/0/hotplug-status = "connected"'
}

@test "contract: vif-nat: online that succeeds prints nothing" {
	vif 1 0
	run nat_online 1 0
	[[ "$status" -eq 0 && -z "$output" ]]
}

@test "contract: vif-nat: offline removes the route, writes no node, and succeeds twice" {
	vif 1 0
	go_online 1 0
	nodes_remember
	nat_offline 1 0
	[[ ! "$(host ip route show 10.0.1.1)" ]]
	assert_link_down vif1.0
	nat_offline 1 0
	assert_at_most_gone backend/vif/1/0 hotplug-status
}

@test "contract: vif-nat: offline succeeds without an online, without the vif, and without the guest's own nodes" {
	vif 1 0
	nat_offline 1 0
	go_online 1 0
	nodes backend/vif/1/0 online 0 state 5
	xenstore-rm /local/domain/1
	host ip link del vif1.0
	nat_offline 1 0
	[[ ! "$(host ip route show 10.0.1.1)" ]]
}

@test "contract: vif-nat: offline of one guest leaves another guest's route unchanged" {
	vif 1 0
	vif 2 0
	go_online 1 0
	go_online 2 0
	nat_offline 1 0
	assert_routed vif2.0 10.0.2.1 10.0.2.128
}

@test "contract: vif-nat: a vifname becomes the interface's name" {
	vif 1 0 vifname web0
	go_online 1 0
	assert_routed web0 10.0.1.1 10.0.1.128
	nat_offline 1 0
	[[ ! "$(host ip route show 10.0.1.1)" ]]
}

@test "contract: vif-nat: the calls for a tap succeed and write no node" {
	vif 1 0 type vif_ioemu
	vif_link vif1.0-emu tap1.0
	go_online 1 0
	nodes_remember
	call vif-nat add vif 1 0 type_if=tap
	call vif-nat remove vif 1 0 type_if=tap
	assert_changed
	assert_routed vif1.0 10.0.1.1 10.0.1.128
}

@test "contract: vif-nat: the guest reaches the host and other guests" {
	local domid
	for domid in 1 2; do
		vif "$domid" 0
		go_online "$domid" 0
		space "inside$domid" "guest$domid.0" "10.0.$domid.1/32"
		inside "inside$domid" ip route add "10.0.$domid.128" dev "guest$domid.0"
		inside "inside$domid" ip route add default via "10.0.$domid.128"
	done
	reaches inside1 10.0.1.128 10.0.2.1
}
