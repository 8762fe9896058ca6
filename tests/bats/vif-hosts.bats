# SPDX-License-Identifier: LGPL-2.1-only
# Interfaces on hosts as they are: without IPv6, with unusual addresses, or not ready yet.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/routed

setup() {
	routed_host
	bridge xenbr0
}

teardown() {
	report_moment
	routed_stop
	host_stop
}

# ipv6_off <where>
# Switches IPv6 off: all, default, link (the guest's interface) or kernel, which is
# ipv6.disable=1 as far as a script can see it.
ipv6_off() {
	case $1 in
	link) host sysctl -q net/ipv6/conf/vif1.0/disable_ipv6=1 ;;
	kernel)
		host sysctl -q net.ipv6.conf.all.disable_ipv6=1
		host mount -t tmpfs none /proc/sys/net/ipv6
		;;
	*) host sysctl -q "net.ipv6.conf.$1.disable_ipv6=1" ;;
	esac
}

# ipv6_on
ipv6_on() {
	host umount /proc/sys/net/ipv6 2>/dev/null || :
	host sysctl -q net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
	host ip address replace 2001:db8::1/64 dev eth0 nodad
}

@test "where IPv6 is off, each script gives a guest IPv4" {
	local where script words tried=0
	for where in all default link kernel; do
		for script in 'vif-bridge bridge xenbr0' 'vif-bridge bridge xenbr0 ip 10.0.0.5' \
			'vif-route ip 198.51.100.5' 'vif-nat' 'vif-nat ip 10.0.9.1/16'; do
			sampled || continue
			tried=$((tried + 1))
			moment="IPv6 is off: $where; $script"
			[[ $where == link ]] || ipv6_off "$where"
			read -ra words <<<"$script"
			vif 1 0 "${words[@]:1}"
			[[ $where != link ]] || ipv6_off link
			call "${words[0]}" online vif 1 0 type_if=vif
			assert_node backend/vif/1/0/hotplug-status connected
			call "${words[0]}" check vif 1 0
			call "${words[0]}" offline vif 1 0 type_if=vif
			assert_unrouted
			host ip link delete vif1.0
			xenstore-rm backend/vif/1/0
			ipv6_on
		done
	done
	say_tried "$tried" 'hosts without IPv6' 20
}

@test "where IPv6 is off, vif-route and vif-nat refuse a guest with an IPv6 address, and say why" {
	local where script tried=0
	for where in all default link kernel; do
		for script in vif-route vif-nat; do
			sampled || continue
			moment="IPv6 is off: $where; $script"
			[[ $where == link ]] || ipv6_off "$where"
			vif 1 0 ip '198.51.100.5 2001:db8:5::5'
			[[ $where != link ]] || ipv6_off link
			run call "$script" online vif 1 0 type_if=vif
			[[ "$status" -eq 1 ]]
			assert_refused backend/vif/1/0 error IPv6
			[[ "$output" == *'IPv6 is switched off (disable_ipv6)'* || "$output" == *'eth0 has no IPv6 address'* ]]
			assert_unrouted
			tried=$((tried + 1))
			host ip link delete vif1.0
			xenstore-rm backend/vif/1/0
			ipv6_on
		done
	done
	say_tried "$tried" 'refused IPv6 addresses' 8
}

@test "the gateway of a guest is the host's address also with a peer, as /32 or as /128" {
	host ip address flush dev eth0 scope global
	host ip address add 192.0.2.1 peer 192.0.2.9 dev eth0
	host ip address add 2001:db8::1/128 dev eth0 nodad
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	route_online 1 0
	[[ "$(addresses_of vif1.0)" == '192.0.2.1/32 2001:db8::1/128 ' ]]
	route_offline 1 0
	host ip address flush dev eth0 scope global
	host ip address add 192.0.2.2/32 dev eth0
	host ip address add 2001:db8::2 peer 2001:db8::9 dev eth0 nodad
	route_online 1 0
	[[ "$(addresses_of vif1.0)" == '192.0.2.2/32 2001:db8::2/128 ' ]]
}

# awaits_netlink
# Does a process of the host wait for events of its interfaces?
awaits_netlink() {
	local table
	table=$(host cat /proc/net/netlink)
	# Its groups: RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR of linux/rtnetlink.h.
	[[ $table == *' 0 '*' 00000111 '* ]]
}

@test "a host address that comes by DHCP during the attach is awaited" {
	local attach
	host ip address flush dev eth0 scope global
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	route_online 1 0 3>&- &
	attach=$!
	until_true awaits_netlink
	host ip address add 192.0.2.7/24 dev eth0
	host ip address add 2001:db8::7/64 dev eth0 nodad
	wait "$attach"
	[[ "$(addresses_of vif1.0)" == '192.0.2.7/32 2001:db8::7/128 ' ]]
}

@test "an interface that comes while the attach waits for it is awaited by event" {
	local attach
	vif_nodes 1 0 bridge xenbr0
	online 1 0 3>&- &
	attach=$!
	until_true awaits_netlink
	vif_link vif1.0 guest1.0
	wait "$attach"
	assert_node backend/vif/1/0/hotplug-status connected
}
