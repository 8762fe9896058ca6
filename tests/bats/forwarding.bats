# SPDX-License-Identifier: LGPL-2.1-only
# Bridged packets of a guest pass the host's iptables, where br_netfilter shows
# them to it: with iptables of Debian and its rules, and with packets.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/iptables
load ../lib/wire

setup() {
	wire_host
}

teardown() {
	report_moment
	wire_stop
}

# br_netfilter
# From now on this host's iptables drops what is bridged.
br_netfilter() {
	local command
	[[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]] || skip 'this kernel has no br_netfilter'
	for command in iptables ip6tables; do
		# shellcheck disable=SC2016 # the inner shell expands
		host bash -c 'echo 1 >"/proc/sys/net/bridge/bridge-nf-call-$1"' - "$command"
	done
	iptables_drops
}

# own_rules
# What iptables lists while a guest is attached, however many there are.
own_rules() {
	local family
	for family in 4 6; do
		printf '%s\n' '-A FORWARD -j XEN_HOTPLUG'
		printf '%s\n' '-A XEN_HOTPLUG -o xenbr0 -m physdev --physdev-is-bridged -j ACCEPT'
	done
}

# arrive <from> <to> <frame>
arrive() {
	host "$root/tests/frames/send" "$1" "$2" "$3" <<<''
}

# assert_forwards
# Both families pass, in both directions.
assert_forwards() {
	host ip link set guest1.0 up
	arrive guest1.0 other ipv4
	arrive other guest1.0 ipv4
	arrive guest1.0 other ipv6
	arrive other guest1.0 ipv6
}

# assert_attaches_and_detaches
assert_attaches_and_detaches() {
	local dropped
	vif 1 0 bridge xenbr0 vifname web
	online 1 0
	[[ "$(rules)" == "$(own_rules)" ]]
	assert_forwards
	online 1 0
	[[ "$(rules)" == "$(own_rules)" ]]
	call vif-bridge check vif 1 0
	offline 1 0
	[[ ! "$(rules)" ]]
}

@test "one rule for its bridge lets a guest's packets pass until it is detached" {
	br_netfilter
	assert_attaches_and_detaches
}

@test "a legacy iptables (without nftables) gets the same rules" {
	legacy
	br_netfilter
	assert_attaches_and_detaches
}

@test "without the rules, a guest's packets do not pass" {
	br_netfilter
	vif 1 0 bridge xenbr0
	online 1 0
	host ip link set guest1.0 up
	host iptables --flush FORWARD
	# Of ARP, iptables sees nothing.
	[[ ! "$(host "$root/tests/frames/send" guest1.0 other 'arp tpa=10.0.0.3' <<<ipv4)" ]]
}

@test "detach removes its rules even if the bridge and the interface are gone" {
	br_netfilter
	vif 1 0 bridge xenbr0
	online 1 0
	host ip link delete xenbr0
	host ip link delete vif1.0
	offline 1 0
	[[ ! "$(rules)" ]]
}

@test "detach removes only its own rules, even if one of them is gone already" {
	br_netfilter
	vif 1 0 bridge xenbr0
	online 1 0
	host iptables --append FORWARD --in-interface lo --jump ACCEPT
	host iptables --delete FORWARD 1
	offline 1 0
	[[ "$(rules)" == '-A FORWARD -i lo -j ACCEPT' ]]
}

@test "a tap alone has the rules, too" {
	br_netfilter
	vif 1 0 bridge xenbr0
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	[[ "$(rules)" == "$(own_rules)" ]]
	tap_remove 1 0
	[[ ! "$(rules)" ]]
}

# another <domid> [bridge]
# One more guest, which is attached.
another() {
	domain "$1"
	vif_link "vif$1.0" "guest$1.0"
	vif_nodes "$1" 0 bridge "${2-xenbr0}"
	online "$1" 0
}

@test "all guests share the rules: the next ones start no program of iptables, and the last one removes them" {
	br_netfilter
	another 1
	noted iptables{,-restore} ip6tables{,-restore}
	another 2
	another 3
	offline 1 0
	offline 2 0
	[[ ! -e "$BATS_TEST_TMPDIR/called" ]]
	noted_no_more
	[[ "$(rules)" == "$(own_rules)" ]]
	offline 3 0
	[[ ! "$(rules)" ]]
}

@test "each bridge has its rule, and only frames between ports of guests' bridges pass" {
	local family
	br_netfilter
	bridge other0
	host ip link add a0 type veth peer name a1
	host ip link add b0 type veth peer name b1
	host ip link set a0 master other0 up
	host ip link set b0 master other0 up
	host ip link set a1 up
	host ip link set b1 up
	another 1
	until_true grep -qx 3 "$host_root/sys/class/net/b0/brport/state"
	[[ ! "$(host "$root/tests/frames/send" a1 b1 'arp tpa=10.0.0.3' <<<ipv4)" ]]
	another 2 other0
	arrive a1 b1 ipv4
	offline 1 0
	[[ "$(rules)" == "$(own_rules | sed s/xenbr0/other0/)" ]]
	offline 2 0
	[[ ! "$(rules)" ]]
	host ip link delete a0
	host ip link delete b0
}

@test "rules that another program has removed are reported, and repaired for all guests" {
	local harm
	br_netfilter
	another 1
	another 2
	for harm in 'iptables --flush FORWARD' 'iptables --flush' 'ip6tables --flush XEN_HOTPLUG' \
		'iptables --flush && iptables --delete-chain'; do
		moment=$harm
		host bash -c "$harm"
		run call vif-bridge check vif 2 0
		[[ "$status" -eq 1 && "$output" == *'broken  forwarding: The rules of '* ]]
		host "$root/helpers/xen-hotplug" repair
		[[ "$(rules)" == "$(own_rules)" ]]
		call vif-bridge check vif 2 0
	done
	host iptables --insert FORWARD --jump XEN_HOTPLUG
	host ip6tables --flush FORWARD
	offline 1 0
	offline 2 0
	[[ ! "$(rules)" ]]
}

@test "of guests that come and go at the same time, the last one removes the rules" {
	local domid round calls
	br_netfilter
	for domid in 1 2 3 4; do
		domain "$domid"
		vif "$domid" 0 bridge xenbr0
	done
	for round in 1 2 3; do
		calls=()
		online 1 0
		for domid in 2 3 4; do
			online "$domid" 0 3>&- &
			calls+=("$!")
		done
		offline 1 0
		wait "${calls[@]}"
		[[ "$(rules)" == "$(own_rules)" ]]
		calls=()
		for domid in 2 3 4; do
			offline "$domid" 0 3>&- &
			calls+=("$!")
		done
		wait "${calls[@]}"
		[[ ! "$(rules)" ]]
	done
}

@test "a guest does not rely on the rules of an attach that was killed before it added them" {
	br_netfilter
	another 1
	# As a kill leaves it: the rules are announced in the journal, and not there.
	host iptables --flush && host iptables --delete-chain XEN_HOTPLUG
	host ip6tables --flush && host ip6tables --delete-chain XEN_HOTPLUG
	host "$root/helpers/xen-hotplug" journal --drop 'forwarding set' /run/xen-hotplug/vif-1-0
	another 2
	[[ "$(rules)" == "$(own_rules)" ]]
	offline 2 0
	[[ "$(rules)" == "$(own_rules)" ]]
	offline 1 0
	[[ ! "$(rules)" ]]
}

@test "the rules of a guest that a former version attached are removed" {
	local command direction
	vif 1 0 bridge xenbr0
	for command in iptables ip6tables; do
		for direction in in out; do
			host "$command" --append FORWARD -m physdev --physdev-is-bridged "--physdev-$direction" vif1.0 \
				-m comment --comment xen-hotplug/vif/1/0 -j ACCEPT
		done
	done
	host ip6tables --delete FORWARD 1
	online 1 0
	printf '%s\0' use 2 forwarding vif1.0 '' note 4 commands 'iptables ip6tables' owner xen-hotplug/vif/1/0 '' \
		>>"$BATS_TEST_TMPDIR/run/xen-hotplug/vif-1-0"
	offline 1 0
	[[ ! "$(rules)" ]]
}

@test "after a kill at any moment of an attach or a detach, a detach leaves no rule for bridged packets" {
	br_netfilter
	host ip link delete xenbr0 # subject_make has its own
	subject_make vif
	killed_everywhere attach 30
	[[ ! "$(rules)" ]]
	killed_everywhere detach 30
	[[ ! "$(rules)" ]]
}

# has_own_rules
has_own_rules() {
	[[ "$(rules)" == "$(own_rules)" ]]
}

# other_comes
# Another guest of the same bridge. What was killed may not be dead yet.
other_comes() {
	online 2 0
	until_true has_own_rules
}

# other_goes
# It still had the rules.
other_goes() {
	[[ "$(rules)" == "$(own_rules)" ]]
	offline 2 0
	[[ ! "$(rules)" ]]
}

@test "a guest that attaches after a killed attach has the rules, whatever the other had added" {
	br_netfilter
	host ip link delete xenbr0 # subject_make has its own
	subject_make vif
	domain 2
	vif_link vif2.0 guest2.0
	vif_nodes 2 0 bridge xenbr0
	killed_with_others 30 other_comes other_goes
}

@test "an attach is refused without any change while another program holds iptables' lock" {
	local lock
	legacy
	br_netfilter
	vif 1 0 bridge xenbr0 ip 10.0.0.1
	exec {lock}>"$BATS_TEST_TMPDIR/run/xtables.lock"
	flock --nonblock "$lock"
	run online 1 0
	exec {lock}>&-
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'held the lock of iptables'
	[[ ! "$(rules)" ]]
	assert_link_down vif1.0
	host ip -json link show dev vif1.0 | jq -e '.[0] | has("master") | not'
	run ! host nft list chain netdev xen_hotplug vif1.0
}

@test "if iptables fails, nothing is left and the error has its reason" {
	local command
	br_netfilter
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip6tables-restore" <<-'END'
		#!/bin/sh
		echo 'No chain by that name' >&2
		exit 1
	END
	vif 1 0 bridge xenbr0
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'No chain by that name'
	[[ ! "$(rules)" ]]
}

@test "iptables is not started if it does not see bridged packets" {
	local command
	mkdir "$BATS_TEST_TMPDIR/bin"
	for command in iptables ip6tables nft; do
		printf '#!/bin/sh\ntouch %q/called\nexit 1\n' "$BATS_TEST_TMPDIR" |
			tee "$BATS_TEST_TMPDIR/bin/$command" >"$BATS_TEST_TMPDIR/bin/$command-restore"
	done
	chmod +x "$BATS_TEST_TMPDIR"/bin/*
	vif 1 0 bridge xenbr0
	PATH=$BATS_TEST_TMPDIR/bin:$PATH online 1 0
	[[ ! -e "$BATS_TEST_TMPDIR/called" ]]
}

@test "with firewall = nftables or none, iptables is not called for a bridged guest" {
	local firewall
	br_netfilter
	vif 1 0 bridge xenbr0
	for firewall in nftables none; do
		configured "firewall = $firewall"
		online 1 0
		[[ ! "$(rules)" ]]
	done
}

@test "without iptables, firewall = iptables refuses a bridged guest and auto does not" {
	br_netfilter
	without iptables{,-restore} ip6tables{,-restore}
	vif 1 0 bridge xenbr0
	online 1 0
	configured 'firewall = iptables'
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'install the package iptables'
}
