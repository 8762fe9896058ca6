#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A guest has the addresses of its ip= and its MAC address, and is cut off when
# it takes others.

load ../lib/xen.bash
load ../lib/network.bash
teardown() {
	systemctl stop xen-hotplug-rules nftables || :
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

# filter_is_back
# The filter that was removed is, soon.
filter_is_back() {
	within 15 nft list chain netdev xen_hotplug "vif$(xl domid web).1"
}

@test "the filter of a running guest is back after a flush of the ruleset and after restarts of nftables.service" {
	ip link set wire master xenbr0
	before=$(network)
	systemctl daemon-reload
	systemctl start xen-hotplug-rules
	web_attach bridge=xenbr0 ip='10.9.1.11 fd00:9:1::11'
	nft flush ruleset
	filter_is_back
	systemctl restart nftables
	filter_is_back
	uses_its_own
	# Without the watch, the service that nftables.service wants does it.
	systemctl stop xen-hotplug-rules
	systemctl restart nftables
	filter_is_back
	uses_its_own
	xl network-detach web 1
	# As network_start leaves it.
	systemctl stop nftables
	nft add table netdev xen_hotplug
	iptables -P FORWARD ACCEPT
	ip6tables -P FORWARD ACCEPT
	same_network "$before"
}

@test "a guest with ip= cannot serve DHCP, and one without it can" {
	local ip arguments
	ip link set wire master xenbr0
	before=$(network)
	for ip in ip=10.9.1.11 ''; do
		arguments=(bridge=xenbr0)
		[[ ! $ip ]] || arguments+=("$ip")
		web_attach "${arguments[@]}"
		web_serves_dhcp
		web_reaches 10.9.1.2
		if [[ $ip ]]; then
			run ! world_leases 3
		else
			world_leases 20
		fi
		xl network-detach web 1
		same_network "$before"
	done
}
