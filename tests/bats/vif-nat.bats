# SPDX-License-Identifier: LGPL-2.1-only
# vif-nat in a real network namespace: guests reach what is behind the host's
# eth0, which knows nothing of their addresses.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/routed

setup() {
	routed_host
	# The neighbour knows the host alone.
	inside outside ip route delete default
	inside outside ip -6 route delete default
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
}

teardown() {
	report_moment
	routed_stop
	host_stop
}

# natted <domid> <devid> <address of the guest> <IPv6 address> <of the host> <IPv6>
# The guest is up, with these addresses and a default route to the host's.
natted() {
	local name=inside-$1-$2 link=guest$1.$2
	space "$name" "$link" "$3/32" "$4/128"
	inside "$name" ip route add "$5" dev "$link"
	inside "$name" ip route add default via "$5"
	inside "$name" ip route add "$6" dev "$link"
	inside "$name" ip route add default via "$6"
}

# derived_guests
# Two guests without ip=, each with the addresses that follow from its number.
derived_guests() {
	vif 1 0
	vif 258 1
	nat_online 1 0
	nat_online 258 1
	assert_node backend/vif/258/1/hotplug-status connected
	natted 1 0 10.0.1.1 fd58:656e:6e61:1::1 10.0.1.128 fd58:656e:6e61:1::81
	natted 258 1 10.1.2.2 fd58:656e:6e61:102::2 10.1.2.129 fd58:656e:6e61:102::82
}

# derived_guests_reach
# They reach the network and each other, first and last come and go.
derived_guests_reach() {
	derived_guests
	reaches inside-1-0 192.0.2.9 2001:db8::9 10.1.2.2 fd58:656e:6e61:102::2
	reaches inside-258-1 192.0.2.9 2001:db8::9 10.0.1.1
	nat_offline 1 0
	reaches inside-258-1 192.0.2.9 2001:db8::9
	nat_offline 258 1
	assert_unrouted
}

@test "guests without ip= have addresses made from their numbers" {
	derived_guests_reach
}

@test "with firewall = iptables, guests reach the network" {
	type -P iptables-restore ip6tables-restore >/dev/null || skip 'this machine has no iptables'
	echo 'firewall = iptables' >"$tree/hotplug/hotplug.conf"
	derived_guests_reach
}

# seen_from <observer> <sender> <observer's address>
# Sets seen to the addresses that the observer gets the sender's packets from.
seen_from() {
	inside "$1" nft -f - <<-'END'
		table ip seen
		delete table ip seen
		table ip seen {
			set from { type ipv4_addr; size 9; flags dynamic; }
			chain in { type filter hook input priority 0; icmp type echo-request update @from { ip saddr }; }
		}
	END
	reaches "$2" "$3" || return
	seen=$(inside "$1" nft list set ip seen from)
}

@test "the network sees the host's address" {
	derived_guests
	seen_from outside inside-1-0 192.0.2.9
	[[ $seen == *192.0.2.1* && $seen != *10.0.1.1* ]]
	seen_from inside-258-1 inside-1-0 10.1.2.2
	[[ $seen == *10.0.1.1* ]]
}

@test "a guest with several addresses in ip= has the first one" {
	vif 1 0 ip '10.7.0.200 10.8.0.0/24 fd00:7::200' mtu 1400 vifname web
	nat_online 1 0
	[[ "$(addresses_of web)" == '10.7.0.73/32 fd00:7::280/128 ' ]]
	[[ "$(link web .mtu)" == 1400 ]]
	natted 1 0 10.7.0.200 fd00:7::200 10.7.0.73 fd00:7::280
	inside inside-1-0 ip address add 10.8.0.9/32 dev guest1.0
	reaches inside-1-0 192.0.2.9 2001:db8::9
	until_true inside inside-1-0 ping -q -c 1 -W 1 -I 10.8.0.9 192.0.2.9
	nat_offline 1 0
	assert_unrouted
	host ip link show vif1.0
}

@test "a tap and its vif share one address" {
	local first
	vif 1 0
	vif_link vif1.0-emu tap1.0
	for first in tap vif; do
		nat_online 1 0
		call vif-nat add vif 1 0 type_if=tap
		[[ "$(host ip route get 10.0.1.1)" == *'dev vif1.0-emu '* ]]
		[[ $first == vif ]] || call vif-nat remove vif 1 0 type_if=tap
		[[ $first == tap ]] || nat_offline 1 0
		host nft list ruleset | grep -F 10.0.1.1
		[[ $first == tap ]] || call vif-nat remove vif 1 0 type_if=tap
		[[ $first == vif ]] || nat_offline 1 0
		assert_unrouted
	done
}

@test "guests that attach and detach in parallel keep their rules" {
	local guest calls=()
	for guest in 2 4 6 8; do
		vif "$guest" 0
		nat_online "$guest" 0
	done
	for guest in 1 3 5 7; do
		vif "$guest" 0
		nat_online "$guest" 0 3>&- &
		calls+=($!)
		nat_offline "$((guest + 1))" 0 3>&- &
		calls+=($!)
	done
	for guest in "${calls[@]}"; do
		wait "$guest"
	done
	[[ "$(host nft list set ip xen_hotplug_nat guests | grep -o '10\.0\.[0-9]\.1' | sort | tr '\n' ' ')" == '10.0.1.1 10.0.3.1 10.0.5.1 10.0.7.1 ' ]]
	for guest in 1 3 5 7; do
		nat_offline "$guest" 0
	done
	assert_unrouted
}

@test "two last guests that detach in parallel leave no rules" {
	local calls=()
	vif 1 0
	vif 2 0
	nat_online 1 0
	nat_online 2 0
	mkdir "$BATS_TEST_TMPDIR/bin"
	# The first one changes the rules when the second one waits for it.
	program "$BATS_TEST_TMPDIR/bin/nft" <<-END
		#!/bin/bash
		rules=\$(cat)
		[[ \$rules != *xen_hotplug_nat* ]] || : >$BATS_TEST_TMPDIR/held
		[[ \$rules != *xen_hotplug_nat* ]] || until [[ -e $BATS_TEST_TMPDIR/go ]]; do sleep 0.02; done
		exec $(type -P nft) "\$@" <<<"\$rules"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH nat_offline 1 0 3>&- &
	calls+=($!)
	until_true test -e "$BATS_TEST_TMPDIR/held"
	nat_offline 2 0 3>&- &
	calls+=($!)
	until_true waits_for_lock
	: >"$BATS_TEST_TMPDIR/go"
	wait "${calls[0]}"
	wait "${calls[1]}"
	assert_unrouted
}

@test "an attach replaces stale rules that no journal names" {
	host nft -f - <<-'END'
		table ip xen_hotplug_nat {
			set guests { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.9.1 }; }
			chain postrouting { type nat hook postrouting priority 100; ip saddr @guests drop; }
		}
	END
	vif 1 0
	nat_online 1 0
	[[ "$(host nft list table ip xen_hotplug_nat)" != *@(10.0.9.1|drop)* ]]
	[[ "$(host nft list table ip xen_hotplug_nat)" == *10.0.1.1*masquerade* ]]
	nat_offline 1 0
	assert_unrouted
}

@test "the detach leaves nothing, even if the interface is gone" {
	vif 1 0
	nat_online 1 0
	host ip link delete vif1.0
	nat_offline 1 0
	assert_unrouted
}

@test "with firewall = none there is no rule" {
	echo 'firewall = none' >"$tree/hotplug/hotplug.conf"
	vif 1 0
	nat_online 1 0
	assert_node backend/vif/1/0/hotplug-status connected
	[[ -z "$(host nft list ruleset)" ]]
	nat_offline 1 0
	assert_unrouted
}

# dnsmasq_start
# A dnsmasq that is set up as docs/vif-nat.md says.
dnsmasq_start() {
	host mkdir -p /run/xen-dhcp /run/dnsmasq
	# shellcheck disable=SC2016 # backticks of Markdown
	sed -n '/^```dnsmasq$/,/^```$/p' "$root/docs/vif-nat.md" | sed '1d;$d' >"$BATS_TEST_TMPDIR/dnsmasq.conf"
	host dnsmasq --conf-file="$BATS_TEST_TMPDIR/dnsmasq.conf" --pid-file=/run/dnsmasq/dnsmasq.pid --port=0 \
		--user=root --leasefile-ro --keep-in-foreground --log-facility="$BATS_TEST_TMPDIR/dnsmasq.log" 3>&- &
	until_true host test -s /run/dnsmasq/dnsmasq.pid
	routed_spaces[dnsmasq]=$(host cat /run/dnsmasq/dnsmasq.pid)
}

# leased <name> <interface>
# Sets lease to what udhcpc gets there.
leased() {
	# shellcheck disable=SC2016 # udhcpc's script expands
	printf '#!/bin/sh\n[ "$1" != bound ] || echo "$ip $router $hostname"\n' >"$BATS_TEST_TMPDIR/bound"
	chmod +x "$BATS_TEST_TMPDIR/bound"
	lease=$(inside "$1" busybox udhcpc --foreground --quit --now --interface "$2" --retries 5 --timeout 2 \
		--script "$BATS_TEST_TMPDIR/bound" -O hostname 2>/dev/null)
}

@test "dnsmasq gives a guest its address by DHCP until the guest is detached" {
	local domid
	type -P dnsmasq busybox >/dev/null || skip 'this machine has no dnsmasq or busybox'
	dnsmasq_start
	# Both have the same MAC address.
	for domid in 1 2; do
		vif "$domid" 0
		nat_online "$domid" 0
		space "inside-$domid" "guest$domid.0"
		leased "inside-$domid" "guest$domid.0"
		[[ $lease == "10.0.$domid.1 10.0.$domid.128 dom$domid" ]]
		nat_offline "$domid" 0
		[[ -z "$(host find /run/xen-dhcp -type f)" ]]
	done
	assert_unrouted
}

@test "hooks have the derived addresses in their environment" {
	mkdir "$scripts/vif-post.d"
	# shellcheck disable=SC2016 # the hook expands
	printf '#!/bin/bash\necho "$command $ip $main_ip" >>%q\n' "$BATS_TEST_TMPDIR/calls" >"$scripts/vif-post.d/10"
	chmod +x "$scripts/vif-post.d/10"
	vif 1 0
	nat_online 1 0
	nat_offline 1 0
	[[ "$(<"$BATS_TEST_TMPDIR/calls")" == $'online 10.0.1.1 fd58:656e:6e61:1::1 10.0.1.128\noffline 10.0.1.1 fd58:656e:6e61:1::1 10.0.1.128' ]]
}

@test "an address that cannot be translated is refused before any change" {
	vif 1 126
	run nat_online 1 126
	assert_refused backend/vif/1/126 error 'No address can be derived for vif/1/126'
	vif 1 1 ip 'fe00::x'
	run nat_online 1 1
	assert_refused backend/vif/1/1 error 'Parameter ip is'
	assert_unrouted
}

@test "firewall = iptables without iptables is refused" {
	# Of the families, the guest has the one whose program is there.
	without iptables{,-restore}
	echo 'firewall = iptables' >"$tree/hotplug/hotplug.conf"
	vif 1 0 ip fd00::5
	run nat_online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "needs the command 'iptables' to masquerade guests; install the package iptables"
	[[ "$output" != *nftables* ]]
	assert_unrouted
}

# nat_subject
# An interface without ip= for the tests that kill.
nat_subject() {
	routed_ip='' routed_counts='0 1 1'
	host mkdir /run/xen-dhcp
	routed_subject vif-nat
}

@test "a vif of vif-nat whose attach was killed at any moment is detached without residue" {
	nat_subject
	killed_everywhere attach 48
	[[ -z "$(host ls /run/xen-dhcp)" ]]
}

@test "a vif of vif-nat whose detach was killed at any moment is detached by the next call" {
	nat_subject
	killed_everywhere detach 46
	[[ -z "$(host ls /run/xen-dhcp)" ]]
}

@test "an ip= of Xen's vif-nat, with the length of its network, is the guest's address" {
	vif 1 0 ip 10.0.9.1/16
	nat_online 1 0
	[[ "$(host ip route show dev vif1.0)" == '10.0.9.1 '* ]]
	[[ "$(addresses_of vif1.0)" == '10.0.9.128/32 ' ]]
	nat_offline 1 0
	assert_unrouted
}

@test "without ip=, a guest whose interface cannot have IPv6 gets IPv4 alone" {
	host sysctl -q net.ipv6.conf.default.disable_ipv6=1
	vif 1 0
	nat_online 1 0
	[[ "$(addresses_of vif1.0)" == '10.0.1.128/32 ' ]]
	run call vif-nat plan vif 1 0
	[[ "$status" -eq 0 && $output != *fd58* ]]
	nat_offline 1 0
	host sysctl -q net.ipv6.conf.default.disable_ipv6=0
	vif 1 1 mtu 1200
	nat_online 1 1
	[[ "$(addresses_of vif1.1)" == '10.0.1.129/32 ' ]]
	nat_offline 1 1
	assert_unrouted
}

@test "check reports that the rules of a guest's firewall were flushed" {
	vif 1 0 ip '10.7.0.5 fd00:7::5'
	vif 1 1 ip 10.7.0.6
	nat_online 1 0
	nat_online 1 1
	call vif-nat check vif 1 0
	call vif-nat check vif 1 1
	host nft flush ruleset
	run call vif-nat check vif 1 0
	echo "$output"
	[[ "$status" -eq 1 ]]
	[[ $output == *'broken  masquerade: Nothing masquerades 10.7.0.5, because its rules are gone'* ]]
	[[ $output == *'broken  address_filter: Nothing filters vif1.0, because its rules are gone'* ]]
}

@test "check reports missing rules of iptables that masquerade" {
	printf 'firewall = iptables\n' >"$tree/hotplug/hotplug.conf"
	vif 1 0 ip 10.7.0.5
	nat_online 1 0
	call vif-nat check vif 1 0
	host iptables --table nat --flush POSTROUTING
	run call vif-nat check vif 1 0
	[[ "$status" -eq 1 && $output == *'broken  masquerade: Nothing masquerades 10.7.0.5'* ]]
}

@test "a network in ip= is translated, and its first address is the guest's own" {
	vif 1 0 ip 10.0.9.0/24
	nat_online 1 0
	[[ "$(addresses_of vif1.0)" == '10.0.9.127/32 ' ]]
	space inside-1-0 guest1.0 10.0.9.0/32 10.0.9.7/32
	inside inside-1-0 ip route add 10.0.9.127 dev guest1.0
	inside inside-1-0 ip route add default via 10.0.9.127
	until_true inside inside-1-0 ping -q -c 1 -W 1 -I 10.0.9.0 192.0.2.9
	until_true inside inside-1-0 ping -q -c 1 -W 1 -I 10.0.9.7 192.0.2.9
}
