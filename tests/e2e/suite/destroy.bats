#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Guests that are destroyed, with all that the scripts have made for them.

load ../lib/xen.bash
load ../lib/network.bash
teardown() {
	e2e_teardown
	network_stop
}
setup() {
	network_start
	world_is_routed
	iptables_sees_bridged 1
	mkdir -p /run/xen-dhcp
	before=$(network)
}

# each_script
# Sets vifs to an interface of each.
each_script() {
	vlan_word 10p/20
	vifs=(
		"bridge=vlanbr0,$vlan,ip=10.9.1.12 fd00:9:1::12"
		'script=vif-openvswitch,bridge=ovs0.10:20,ip=10.9.1.13 fd00:9:1::13'
		'script=vif-route,gatewaydev=wire,ip=198.51.100.14 2001:db8:1::14'
		'script=vif-nat'
	)
}

# are_attached <vif> <vif> <vif> <vif>
# All that the scripts make is there for the guest's interfaces.
are_attached() {
	local interface proxies
	proxies=$(ip neighbour show proxy dev wire)
	for interface; do
		nft list chain netdev xen_hotplug "$interface"
	done
	[[ $(bridge -json vlan show dev "$1" | jq -c '[.[].vlans[].vlan]') == '[10,20]' ]]
	[[ $(iptables-save) == *'-A XEN_HOTPLUG -o vlanbr0 '* && $(ip6tables-save) == *'-A XEN_HOTPLUG -o vlanbr0 '* ]]
	[[ $(vsctl port-to-br "$2") == ovs0 && $(vsctl get port "$2" tag) == 10 ]]
	[[ $(ip route show dev "$3") == *198.51.100.14* && $(ip -6 route show dev "$3") == *2001:db8:1::14* ]]
	[[ $proxies == *198.51.100.14* && $proxies == *2001:db8:1::14* ]]
	[[ $(nft list ruleset) == *'table ip xen_hotplug_nat'*'table ip6 xen_hotplug_nat'* ]]
	[[ -s /run/xen-dhcp/$4 ]]
}

@test "a destroyed guest with an interface of each script leaves nothing" {
	local vif vifs vlan
	each_script
	guest_config each 15 "vif=[$(commas "${vifs[@]}")]"
	xl create "$E2E_WORK/each.cfg"
	within 60 all_in_state_4 vif "$(xl domid each)" 4
	vif=vif$(xl domid each)
	are_attached "$vif".{0..3}
	xl destroy each
	same_network "$before"
}

@test "a destroyed HVM guest leaves neither of its ports on Open vSwitch" {
	local vif port
	guest_hvm each 'script=vif-openvswitch,bridge=ovs0.10:20,model=e1000,ip=10.9.1.13 fd00:9:1::13'
	vif=vif$(xl domid each).0
	[[ $(vsctl list-ports ovs0) == "$vif"$'\n'"$vif-emu" ]]
	for port in "$vif" "$vif-emu"; do
		[[ $(vsctl get port "$port" tag trunks) == $'10\n[20]' ]]
		nft list chain netdev xen_hotplug "$port"
	done
	xl destroy each
	same_network "$before"
	[[ ! -e /sys/class/net/$vif && ! -e /sys/class/net/$vif-emu ]]
}
