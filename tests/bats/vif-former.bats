# SPDX-License-Identifier: LGPL-2.1-only
# A guest that gets the vifname of an earlier one, whose interface is gone: nothing that
# was for the earlier one applies to it.

load ../lib/host
load ../lib/enumerate
load ../lib/wire
load ../lib/verdicts
load ../lib/iptables

setup() {
	wire_host
	domain 2
}

# former [node value]...
# Guest 1, vifname=web, was attached; its interface is gone, and its detach has not run.
former() {
	vif 1 0 bridge xenbr0 vifname web "$@"
	online 1 0
	host ip link delete web
}

# successor [node value]...
# Guest 2 has the same vifname. Its end of the interface is guest1.0, as verdicts needs.
successor() {
	vif_link vif2.0 guest1.0
	vif_nodes 2 0 bridge xenbr0 mac 00:16:3e:00:00:02 vifname web "$@"
	online 2 0
	host ip link set guest1.0 up
}

@test "a guest without ip= is not met by the filter of the name's former guest" {
	former ip 10.0.0.9
	successor
	verdicts ipv4 <<<'yes ipv4 src=10.7.7.7 mac=00:16:3e:00:00:02'
	offline 1 0
	offline 2 0
	run ! host nft list chain netdev xen_hotplug vif1.0
}

@test "a guest with ip= has its own filter only, and the former guest's late detach does not end it" {
	former ip 10.0.0.9
	successor ip 10.0.0.1
	[[ "$(host nft list ruleset | grep -c hook)" == 1 ]]
	offline 1 0
	verdicts 'ipv4 mac=00:16:3e:00:00:02' <<-'END'
		no ipv4 src=10.0.0.9 mac=00:16:3e:00:00:02
		yes ipv4 src=10.0.0.1 dst=10.0.0.4 mac=00:16:3e:00:00:02
	END
	call vif-bridge check vif 2 0
}

@test "the same, where the former guest had an emulated interface" {
	vif 1 0 bridge xenbr0 vifname web ip 10.0.0.9
	vif_link vif1.0-emu guest1.0-emu
	tap_add 1 0
	host ip link delete web-emu
	vif_link vif2.0-emu tap2.0
	vif 2 0 bridge xenbr0 vifname web
	tap_add 2 0
	[[ "$(host nft list ruleset | grep -c hook)" == 0 ]]
}

@test "a stale device that has the name is released" {
	former ip 10.0.0.9
	xenstore-rm backend/vif/1
	successor
	[[ "$(host_journals)" == 'journal vif-2-0' ]]
	run ! host nft list chain netdev xen_hotplug vif1.0
}

@test "a vifname that another guest has is refused, even if its interface was renamed" {
	vif 1 0 bridge xenbr0 vifname web ip 10.0.0.9
	online 1 0
	vif 2 0 bridge xenbr0 vifname web
	run online 2 0
	assert_refused backend/vif/2/0 error "The vifname 'web' belongs to vif/1/0, whose interface is called web"
	host ip link set web down name renamed
	run online 2 0
	assert_refused backend/vif/2/0 error "The vifname 'web' belongs to vif/1/0, whose interface is called renamed"
	run call vif-bridge plan vif 2 0
	[[ "$status" -eq 1 && $output == *'belongs to vif/1/0'* ]]
	[[ "$(host_journals)" == 'journal vif-1-0' && -e $host_root/sys/class/net/vif2.0 ]]
	host ip link set renamed name web
}

@test "a former guest's late detach leaves the rules in iptables that the name's next guest needs" {
	iptables_drops
	vif 1 0 ip 198.51.100.5 vifname web gatewaydev other
	host ip address add 192.0.2.1/24 dev other
	call vif-route online vif 1 0 type_if=vif
	host ip link delete web
	vif 2 0 ip 198.51.100.6 vifname web gatewaydev other
	call vif-route online vif 2 0 type_if=vif
	call vif-route offline vif 1 0 type_if=vif
	[[ "$(rules | grep -c -e '--src-group' -e '--dst-group')" == 2 ]]
	call vif-route check vif 2 0
	call vif-route offline vif 2 0 type_if=vif
	[[ "$(rules)" == '' ]]
}
