# SPDX-License-Identifier: LGPL-2.1-only
# vif-route in a real network namespace. The guest is a namespace with the
# other end of the interface, and its neighbours are one behind the host's eth0.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/routed

setup() {
	routed_host
}

teardown() {
	report_moment
	routed_stop
	host_stop
}

@test "a guest and the network reach each other over IPv4 and IPv6" {
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	route_online 1 0
	assert_node backend/vif/1/0/hotplug-status connected
	guest 1 0 198.51.100.5/32 2001:db8:5::5/128
	reaches inside-1-0 192.0.2.1 192.0.2.9 2001:db8::1 2001:db8::9
	reaches outside 198.51.100.5 2001:db8:5::5
	route_offline 1 0
	assert_unrouted
	reaches_not outside 198.51.100.5 2001:db8:5::5
}

@test "neighbours find the guest by proxy ARP and proxy NDP" {
	vif 1 0 ip '192.0.2.50 2001:db8::50'
	route_online 1 0
	guest 1 0 192.0.2.50/24 2001:db8::50/128
	reaches outside 192.0.2.50 2001:db8::50
	reaches inside-1-0 192.0.2.9
	[[ "$(proxies)" == $'192.0.2.50 dev eth0 proxy \n2001:db8::50 dev eth0 proxy ' ]]
	route_offline 1 0
	assert_unrouted
}

@test "a prefix in ip= is routed to the guest" {
	vif 1 0 ip '198.51.100.64/26 2001:db8:5::/64'
	route_online 1 0
	guest 1 0 198.51.100.65/32 198.51.100.126/32 198.51.100.129/32 2001:db8:5::77/128 2001:db8:6::7/128
	reaches outside 198.51.100.65 198.51.100.126 2001:db8:5::77
	reaches_not outside 198.51.100.129 2001:db8:6::7
	[[ -z "$(proxies)" ]]
	route_offline 1 0
	assert_unrouted
}

@test "the interface has the host's address for each family of the guest" {
	vif 1 0 ip 198.51.100.5
	route_online 1 0
	[[ "$(addresses_of vif1.0)" == '192.0.2.1/32 ' ]]
	[[ "$(host cat /proc/sys/net/ipv4/conf/vif1.0/proxy_arp)" == 1 ]]
	vif 1 1 ip 2001:db8:5::5
	route_online 1 1
	[[ "$(addresses_of vif1.1)" == '2001:db8::1/128 ' ]]
	vif 1 2
	route_online 1 2
	[[ "$(addresses_of vif1.2)" == '192.0.2.1/32 ' ]]
}

@test "the chosen host address is neither deprecated nor temporary" {
	host ip address flush dev eth0 scope global
	host sh -c 'cd /proc/sys/net/ipv6/conf/eth0; echo 2 >use_tempaddr; echo 0 >accept_dad'
	host ip -batch - <<-'END'
		address add 203.0.113.9/24 dev eth0 preferred_lft 0
		address add 2001:db8::a/64 dev eth0 nodad preferred_lft 0
		address add 192.0.2.1/24 dev eth0
		address add 192.0.2.2/24 dev eth0
		address add 2001:db8::1/64 dev eth0 nodad mngtmpaddr
		address add 2001:db8::b/64 dev eth0 nodad preferred_lft 0
	END
	[[ "$(host ip address show dev eth0 temporary -tentative)" ]]
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	route_online 1 0
	[[ "$(addresses_of vif1.0)" == '192.0.2.1/32 2001:db8::1/128 ' ]]
}

@test "a host address that is deprecated is chosen if there is no other" {
	host ip address flush dev eth0 scope global
	host ip address add 203.0.113.9/24 dev eth0 preferred_lft 0
	host ip address add 2001:db8::a/64 dev eth0 nodad preferred_lft 0
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	route_online 1 0
	[[ "$(addresses_of vif1.0)" == '203.0.113.9/32 2001:db8::a/128 ' ]]
}

@test "a host address that is tentative is awaited" {
	vif 1 0 ip 2001:db8:5::5
	host ip address flush dev eth0 scope global
	host ip address add 2001:db8::a/64 dev eth0
	[[ "$(host ip -6 address show dev eth0 scope global tentative)" ]]
	route_online 1 0
	[[ "$(addresses_of vif1.0)" == '2001:db8::a/128 ' ]]
}

@test "a host address that stays tentative is named as the reason" {
	host ip link set eth0 down
	host ip address flush dev eth0 scope global
	host ip address add 2001:db8::a/64 dev eth0
	vif 1 0 ip 2001:db8:5::5
	run route_online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'The IPv6 address of eth0 is still tentative'
	assert_unrouted
}

@test "packets from other addresses of the guest are not routed" {
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	route_online 1 0
	guest 1 0 198.51.100.5/32 198.51.100.6/32 2001:db8:5::5/128 2001:db8:5::6/128
	host ip route add 198.51.100.6 dev vif1.0
	host ip route add 2001:db8:5::6 dev vif1.0
	until_true inside inside-1-0 ping -q -c 1 -W 1 -I 198.51.100.5 192.0.2.9
	until_true inside inside-1-0 ping -q -c 1 -W 1 -I 2001:db8:5::5 2001:db8::9
	run ! inside inside-1-0 ping -q -c 1 -W 1 -I 198.51.100.6 192.0.2.9
	run ! inside inside-1-0 ping -q -c 1 -W 1 -I 2001:db8:5::6 2001:db8::9
}

@test "with gatewaydev=, that interface's address is used and its neighbours find the guest" {
	host ip link add name 'dmz0' type veth peer name dmz1
	host ip address add 203.0.113.1/24 dev dmz0
	host ip link set dmz0 up
	vif 1 0 ip '203.0.113.7' gatewaydev dmz0
	route_online 1 0
	[[ "$(addresses_of vif1.0)" == '203.0.113.1/32 ' ]]
	[[ "$(proxies)" == '203.0.113.7 dev dmz0 proxy ' ]]
	route_offline 1 0
	assert_unrouted
}

@test "a detach succeeds if gatewaydev is gone or was made anew" {
	local devid
	for devid in 0 1; do
		host ip link add name dmz0 type veth peer name dmz1
		host ip address add 203.0.113.1/24 dev dmz0
		host ip link set dmz0 up
		vif 1 "$devid" ip '203.0.113.7' gatewaydev dmz0
		route_online 1 "$devid"
		host ip link delete dmz0
		((devid == 0)) || host ip link add name dmz0 type veth peer name dmz1
		((devid == 0)) || host ip neighbour add proxy 203.0.113.7 dev dmz0
		route_offline 1 "$devid"
		((devid == 0)) || [[ "$(proxies)" == '203.0.113.7 dev dmz0 proxy ' ]]
		((devid == 0)) || host ip link delete dmz0
		assert_unrouted
	done
}

@test "a detach succeeds if gatewaydev vanishes while its proxies are deleted" {
	vif 1 0 ip 192.0.2.50
	route_online 1 0
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		$(type -P ip) link delete eth0 2>/dev/null
		exec $(type -P ip) "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run route_offline 1 0
	[[ $status == 0 && ! $output ]]
	run ! host test -e /sys/class/net/eth0
	rm "$BATS_TEST_TMPDIR/bin/ip"
	assert_unrouted
}

@test "a routed vif whose guest dies during the attach is said to have vanished" {
	vif 1 0 ip 192.0.2.50
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		$(type -P ip) link delete vif1.0 2>/dev/null
		exec $(type -P ip) "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run route_online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'The interface vif1.0 vanished during the attach'
	assert_unrouted
}

@test "a gatewaydev that is deleted during the attach is said to have vanished" {
	vif 1 0 ip 192.0.2.50
	# What sysfs has of an interface while it goes.
	mkdir "$BATS_TEST_TMPDIR/going"
	host mount --bind "$BATS_TEST_TMPDIR/going" /sys/devices/virtual/net/eth0
	run route_online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'The interface eth0 of this host vanished during the attach of vif/1/0; create it again'
	host umount /sys/devices/virtual/net/eth0
	assert_unrouted
}

@test "of two vifs with one address, the newer one has it, even after the older one is detached" {
	vif 1 0 ip '198.51.100.5 192.0.2.50 2001:db8::50'
	vif 2 0 ip '198.51.100.5 192.0.2.50 2001:db8::50'
	route_online 1 0
	route_online 2 0
	assert_node backend/vif/2/0/hotplug-status connected
	guest 2 0 198.51.100.5/32 192.0.2.50/32 2001:db8::50/128
	reaches outside 198.51.100.5 192.0.2.50
	route_offline 1 0
	reaches outside 198.51.100.5 192.0.2.50 2001:db8::50
	[[ "$(proxies | wc -l)" == 3 ]]
	route_offline 2 0
	assert_unrouted
}

@test "guests with one address that detach in parallel leave nothing" {
	local guest calls=() domids=(1 2 3 4)
	for guest in "${domids[@]}"; do
		vif "$guest" 0 ip '192.0.2.50 2001:db8::50'
		route_online "$guest" 0
	done
	for guest in "${domids[@]}"; do
		route_offline "$guest" 0 3>&- &
		calls+=($!)
	done
	wait "${calls[@]}"
	assert_unrouted
}

@test "an attach during the detach of a guest with the same address keeps its proxies" {
	local going coming
	vif 1 0 ip '192.0.2.50 2001:db8::50'
	vif 2 0 ip '192.0.2.50 2001:db8::50'
	route_online 1 0
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		: >$BATS_TEST_TMPDIR/held
		until [[ -e $BATS_TEST_TMPDIR/go ]]; do sleep 0.02; done
		exec $(type -P ip) "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH route_offline 1 0 3>&- &
	going=$!
	until_true test -e "$BATS_TEST_TMPDIR/held"
	route_online 2 0 3>&- &
	coming=$!
	until_true waits_for_lock
	: >"$BATS_TEST_TMPDIR/go"
	wait "$going"
	wait "$coming"
	[[ "$(proxies | wc -l)" == 2 ]]
	route_offline 2 0
	assert_unrouted
}

@test "a tap's route has precedence over its vif's, which stays after the tap's detach" {
	vif 1 0 ip '198.51.100.5 2001:db8:5::5' vifname web
	vif_link vif1.0-emu tap1.0
	route_online 1 0
	call vif-route add vif 1 0 type_if=tap
	[[ "$(host ip route get 198.51.100.5)" == *'dev web-emu'* ]]
	[[ "$(host ip route show 198.51.100.5 | grep -o 'dev.*metric [12]' | sort)" == *'web '*'metric 2'*'web-emu'*'metric 1' ]]
	[[ "$(host ip -6 route show 2001:db8:5::5 | grep -c metric)" == 2 ]]
	call vif-route remove vif 1 0 type_if=tap
	[[ "$(host ip route get 198.51.100.5)" == *'dev web '* ]]
	[[ "$(proxies | wc -l)" == 2 ]]
	route_offline 1 0
	assert_unrouted
	host ip link show vif1.0
	host ip link show vif1.0-emu
}

@test "a proxy that the administrator made stays" {
	host ip neighbour add proxy 198.51.100.5 dev eth0
	vif 1 0 ip '198.51.100.5 198.51.100.6'
	route_online 1 0
	[[ "$(proxies | wc -l)" == 2 ]]
	route_offline 1 0
	[[ "$(proxies)" == '198.51.100.5 dev eth0 proxy ' ]]
}

@test "a second online restores removed routes and addresses" {
	vif 1 0 ip 198.51.100.5
	route_online 1 0
	host ip link set vif1.0 down
	run call vif-route check vif 1 0
	[[ $output == *'broken'*'vif1.0 is gone or down'* ]]
	route_online 1 0
	call vif-route check vif 1 0
	guest 1 0 198.51.100.5/32
	reaches outside 198.51.100.5
}

@test "the detach leaves nothing, even if the interface or the guest's nodes are gone" {
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	route_online 1 0
	host ip link delete vif1.0
	route_offline 1 0
	assert_unrouted
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	route_online 1 0
	nodes backend/vif/1/0 online 0 state 5
	xenstore-rm /local/domain/1
	route_offline 1 0
	assert_unrouted
}

@test "an MTU is set on the interface and published to the guest, and without one nothing changes" {
	vif 1 0 ip 198.51.100.5 mtu 1400
	route_online 1 0
	[[ "$(link vif1.0 .mtu)" == 1400 ]]
	assert_node /local/domain/1/device/vif/0/mtu 1400
	vif 1 1 ip 198.51.100.6
	route_online 1 1
	[[ "$(link vif1.1 .mtu)" == 1500 ]]
	run ! store_has /local/domain/1/device/vif/1/mtu
}

@test "routing 64 addresses starts as many programs as routing one" {
	local environment list4 list6
	load ../bench/measure
	printf -v list4 '198.51.100.%d ' {1..32}
	printf -v list6 '2001:db8:5::%d ' {1..32}
	vif 1 0 ip "$list4$list6"
	route_offline 1 0
	libxl_environment vif 1 0
	# bash, the helper, nft, iptables and ip6tables, ip to read and ip to change.
	[[ "$(programs "$root/helpers/xen-hotplug" call "$scripts/vif-route" online type_if=vif)" == 7 ]]
	[[ "$(host ip route | grep -c 'dev vif1.0.* metric 2 ')" == 32 ]]
	[[ "$(host ip -6 route | grep -c 'dev vif1.0.* metric 2 ')" == 32 ]]
	[[ "$(proxies | wc -l)" == 64 ]]
	route_offline 1 0
	assert_unrouted
}

# refused_route <part of the sentence> <node> <value>...
# Such an interface is refused with that, and nothing of it is done.
refused_route() {
	vif 1 0 "${@:2}"
	run route_online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "$1"
	assert_unrouted
	assert_link_down vif1.0
	host ip link delete vif1.0
	xenstore-rm backend/vif/1/0
}

@test "an address that cannot be routed is refused before any change" {
	refused_route "198.51.100.300 is not one" ip 198.51.100.300
	refused_route "Parameter ip is 'web.example'" ip web.example
	refused_route "198.0.0.0/7 is too wide" ip '198.51.100.5 198.0.0.0/7'
	refused_route "The interface 'eth9' does not exist; correct gatewaydev=" ip 198.51.100.5 gatewaydev eth9
	refused_route 'which is not the name of an interface' ip 198.51.100.5 gatewaydev 'eth0 dev lo'
	refused_route "which is not" ip "198.51.100.5\$(touch $BATS_TEST_TMPDIR/pwned)"
	refused_route "which is not" ip $'198.51.100.5\nlink delete dev eth0'
	refused_route "which is not" ip 198.51.100.5 gatewaydev "eth0;touch $BATS_TEST_TMPDIR/pwned"
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
	host ip -6 address flush dev eth0 scope global
	refused_route "The interface eth0 has no IPv6 address, which the guest's 2001:db8:5::5 needs" ip '198.51.100.5 2001:db8:5::5'
	host ip address flush dev eth0
	refused_route "The interface eth0 has no IPv4 address, which the guest's 198.51.100.5 needs" ip 198.51.100.5
	host ip link delete eth0
	refused_route "This host has no eth0; set gatewaydev=" ip 198.51.100.5
}

@test "if ip refuses one line, the attach is rolled back" {
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		sed 's/^route prepend 2001.*/& bad/' | exec $(type -P ip) "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run route_online 1 0
	rm "$BATS_TEST_TMPDIR/bin/ip"
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'Cannot route 198.51.100.5 2001:db8:5::5 through vif1.0: '
	assert_unrouted
}

@test "a gatewaydev without an address is refused before any change, also by plan" {
	vif 1 0 ip 198.51.100.5 gatewaydev eth9
	run call vif-route plan vif 1 0
	[[ "$status" -eq 1 ]]
	[[ $output == *"The interface 'eth9' does not exist"* ]]
}

@test "the detach of a vif that was never attached succeeds" {
	vif 1 0 ip 198.51.100.5
	route_offline 1 0
	assert_unrouted
}

@test "a routed vif whose attach was killed at any moment is detached without residue" {
	routed_subject vif-route
	killed_everywhere attach 48
}

@test "a routed vif whose detach was killed at any moment is detached by the next call" {
	routed_subject vif-route
	killed_everywhere detach 38
}

@test "if ip fails at any start, before or after its work, the next detach leaves nothing" {
	local what nth
	routed_subject vif-route
	mkdir "$BATS_TEST_TMPDIR/bin"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH
	# shellcheck disable=SC2016 # the stand-in expands
	for what in 'exit 1' '"$real" "$@"; exit 1' '"$real" "$@"; kill -KILL $$'; do
		for nth in 1 2 3; do
			sampled || continue
			ip_fails attach "$nth" "$what"
			assert_all_or_nothing
			assert_detaches
			ip_fails detach "$nth" "$what"
			assert_detaches
		done
	done
	assert_works_again
}

# ip_fails attach|detach <number> <shell code>
# The nth program called ip does what the code says.
ip_fails() {
	moment="$1, ip $2: $3"
	rm -f "$BATS_TEST_TMPDIR/bin/ip" "$BATS_TEST_TMPDIR/starts"
	hash -r
	subject_nodes
	[[ $1 == attach ]] || libxl attach
	[[ $1 == attach ]] || libxl_goes
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		real=$(type -P ip)
		echo x >>$BATS_TEST_TMPDIR/starts
		[[ \$(wc -l <$BATS_TEST_TMPDIR/starts) != $2 ]] || { $3; }
		exec "\$real" "\$@"
	END
	libxl "$1" timeout "$in_time"
	rm "$BATS_TEST_TMPDIR/bin/ip"
	hash -r
}

@test "an address with the length of its network is routed as that address" {
	vif 1 0 ip '198.51.100.5/24 2001:db8:5::5/64'
	route_online 1 0
	[[ "$(host ip route show dev vif1.0)" == '198.51.100.5 '* && "$(host ip route show dev vif1.0 | wc -l)" == 1 ]]
	[[ "$(host ip -6 route show root 2001:db8:5::/48)" == '2001:db8:5::5 dev vif1.0 '* ]]
	[[ "$(proxies | wc -l)" == 2 ]]
	route_offline 1 0
	assert_unrouted
}
