# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug gc: interfaces whose backend directory is gone, with what each script
# attaches; the kernel has removed the interface itself.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/gc
load ../lib/iptables
load ../lib/ovs
load ../lib/routed

setup() {
	routed_host
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
}

teardown() {
	local status=0
	routed_stop
	host_stop || status=1
	ovs_stop
	return "$status"
}

# chains
# The address filters' chains and counters.
chains() {
	host nft list ruleset | grep -E '(chain|counter) .?vif' || :
}

# assert_collected
# gc releases vif/1/0, and then nothing is left of it.
assert_collected() {
	run gc
	echo "$output"
	[[ $status == 0 && $output == 'vif/1/0: released' ]] || return
	[[ ! "$(chains)" ]] || return
	assert_unrouted
	[[ "$(gc)" == 'Nothing is stale.' ]]
}

# stale_vif <script> [node value]...
# An interface of guest 1 that is attached, and then stale.
stale_vif() {
	vif 1 0 "${@:2}"
	call "$1" online vif 1 0 type_if=vif
	assert_node backend/vif/1/0/hotplug-status connected
	stale 1 vif
}

@test "gc deletes the filter chain of a stale bridged interface" {
	bridge xenbr0
	stale_vif vif-bridge bridge xenbr0 ip 10.0.0.1
	assert_collected
}

@test "gc takes a stale interface that is still there off its bridge" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web
	online 1 0
	xenstore-rm backend/vif/1
	assert_collected
	[[ -e $host_root/sys/class/net/vif1.0 ]]
}

@test "gc keeps an interface that the kernel's backend still serves" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	xenstore-rm backend/vif/1
	host mount -t tmpfs none /sys/bus
	host mkdir -p /sys/bus/xen-backend/devices/vif-1-0
	run gc
	[[ $status == 1 && $output == 'vif/1/0: kept, because the kernel still serves domain 1; destroy it first' ]]
	[[ -e $host_root/sys/class/net/vif1.0/master ]]
	host umount /sys/bus
	assert_collected
}

@test "gc releases a stale interface's tap, too" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 ip 10.0.0.1
	vif_link vif1.0-emu guest1.0-emu
	online 1 0
	tap_add 1 0
	[[ "$(host_journals | wc -l)" == 2 ]]
	stale 1 vif
	assert_collected
}

@test "gc releases a tap whose interface was detached" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	vif_link vif1.0-emu guest1.0-emu
	online 1 0
	tap_add 1 0
	offline 1 0
	stale 1 vif
	assert_collected
}

@test "gc deletes a stale interface's rules of iptables" {
	iptables_drops
	printf 'firewall = iptables\n' >"$tree/hotplug/hotplug.conf"
	stale_vif vif-route ip 198.51.100.5
	[[ "$(rules)" == *XEN_HOTPLUG* ]]
	assert_collected
	[[ ! "$(rules)" ]]
}

@test "gc removes a stale interface's proxies, and not those that another guest needs" {
	vif 2 0 ip 198.51.100.5
	route_online 2 0
	stale_vif vif-route ip '198.51.100.5 198.51.100.6 2001:db8:5::5'
	gc
	[[ "$(proxies)" == '198.51.100.5 dev eth0 '* && "$(proxies | wc -l)" == 1 ]]
	route_offline 2 0
	assert_unrouted
}

@test "gc takes a stale interface out of the rules that masquerade" {
	host mkdir -p /run/xen-dhcp
	vif 2 0
	nat_online 2 0
	stale_vif vif-nat ip 10.0.9.1
	gc
	[[ "$(host ls /run/xen-dhcp)" == vif2.0 ]]
	[[ "$(host nft list table ip xen_hotplug_nat)" == *10.0.2.1* ]]
	[[ "$(host nft list table ip xen_hotplug_nat)" != *10.0.9.1* ]]
	nat_offline 2 0
	assert_unrouted
	[[ ! "$(host ls /run/xen-dhcp)" ]]
}

@test "gc deletes a stale interface's port of Open vSwitch" {
	ovs_start
	ovs_bridge ovs0
	stale_vif vif-openvswitch bridge ovs0 ip 10.0.0.1
	[[ "$(ovs_ports)" == 'ovs0 vif1.0' ]]
	assert_collected
	[[ ! "$(ovs_ports)" ]]
}

@test "gc runs a stale interface's hooks" {
	bridge xenbr0
	mkdir "$scripts/vif-post.d"
	program "$scripts/vif-post.d/50-tell" <<-END
		#!/bin/bash
		echo "\$command \$dev" >>$BATS_TEST_TMPDIR/told
	END
	stale_vif vif-bridge bridge xenbr0
	assert_collected
	[[ "$(<"$BATS_TEST_TMPDIR/told")" == $'online vif1.0\noffline vif1.0' ]]
}

@test "gc leaves an interface alone that has a stale one's name" {
	bridge xenbr0
	stale_vif vif-bridge bridge xenbr0 vifname web
	host ip link del web
	vif 2 0 bridge xenbr0 vifname web
	online 2 0
	gc
	[[ -e $host_root/sys/class/net/web/master ]]
	assert_node backend/vif/2/0/hotplug-status connected
}
