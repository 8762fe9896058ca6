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

# own_rules <interface> <owner>
# What iptables lists of ours.
own_rules() {
	local family
	for family in 4 6; do
		printf -- '-A FORWARD -m physdev --physdev-out %s --physdev-is-bridged -m comment --comment "xen-hotplug/%s" -j ACCEPT\n' "$1" "$2"
		printf -- '-A FORWARD -m physdev --physdev-in %s --physdev-is-bridged -m comment --comment "xen-hotplug/%s" -j ACCEPT\n' "$1" "$2"
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
	[[ "$(rules)" == "$(own_rules web vif/1/0)" ]]
	assert_forwards
	online 1 0
	[[ "$(rules)" == "$(own_rules web vif/1/0)" ]]
	call vif-bridge check vif 1 0
	offline 1 0
	[[ ! "$(rules)" ]]
}

@test "one rule for each direction lets a guest's packets pass until it is detached" {
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

@test "a tap has rules of its own" {
	br_netfilter
	vif 1 0 bridge xenbr0
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	[[ "$(rules)" == "$(own_rules vif1.0-emu vif/1/0-emu)" ]]
	tap_remove 1 0
	[[ ! "$(rules)" ]]
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

# configured <line>
# In hotplug.conf of a copy of the scripts.
configured() {
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	printf '%s\n' "$1" >"$tree/hotplug/hotplug.conf"
}

@test "with firewall = nftables or none, iptables is not called for a bridged guest" {
	local firewall
	br_netfilter
	vif 1 0 bridge xenbr0
	for firewall in nftables none; do
		configured "firewall = $firewall"
		online 1 0
		[[ ! "$(rules)" ]]
		rm -r "$tree"
		scripts=$root/hotplug/Linux
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
