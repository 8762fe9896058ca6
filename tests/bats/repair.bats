# SPDX-License-Identifier: LGPL-2.1-only
# Rules that other programs remove while a guest runs: xen-hotplug watch restores them as
# soon as the kernel tells, and xen-hotplug repair when it is called.

load ../lib/host
load ../lib/enumerate
load ../lib/observe
load ../lib/wire
load ../lib/verdicts

helper=$root/helpers/xen-hotplug

teardown() {
	local status=0
	[[ ! ${watch-} ]] || { kill "$watch" && wait "$watch"; } 2>/dev/null || :
	[[ ! ${holder-} ]] || kill "$holder"
	wire_stop || status=1
	return "$status"
}

# watching
# xen-hotplug watch runs, and has done its first repair.
watching() {
	nsenter --target "$host_pid" --mount --net --wd=/ -- setpriv --pdeathsig TERM "$helper" watch \
		</dev/null >"$BATS_TEST_TMPDIR/watch" 2>&1 3>&- &
	watch=$!
	until_true grep -q Watching "$BATS_TEST_TMPDIR/watch"
}

# restored <number>
# So many lines of the log tell of a restored filter.
restored() {
	[[ "$(grep -c 'address_filter was restored' "$log")" == "$1" ]]
}

# assert_filtered
# No forged frame passes, and the guest's own do.
assert_filtered() {
	verdicts ipv4 <<-'END'
		no ipv4 src=10.0.0.3
		no ipv4 mac=00:16:3e:00:00:02
		no arp spa=10.0.0.3
		no dhcp src=10.0.0.1 request=2 sport=67 dport=68
		yes arp
	END
}

@test "a watched filter is back after a flush, a deleted table, chain or rule, and a rename" {
	local harm number=0
	guest ip 10.0.0.1 vifname web
	watching
	for harm in 'nft flush ruleset' 'nft delete table netdev xen_hotplug' 'nft delete chain netdev xen_hotplug vif1.0' \
		'nft flush chain netdev xen_hotplug vif1.0' 'ip link set web down name web2 up' 'ip link set web2 down name web up'; do
		moment=$harm
		host bash -c "$harm"
		# Before Linux 6.16, a chain follows its interface.
		[[ $harm == *name* ]] && filter_follows || number=$((number + 1))
		until_true restored "$number"
		assert_filtered
		echo "$harm: restored"
	done
	offline 1 0
	[[ "$(host nft list table netdev xen_hotplug)" != *hook* ]]
}

# filter_follows
# Does this kernel keep a chain on an interface that is renamed?
filter_follows() {
	local release
	IFS=.- read -ra release < <(uname -r)
	((release[0] * 1000 + release[1] < 6016))
}

@test "a filter that was removed while nobody watched is back when the watch starts" {
	guest ip 10.0.0.1
	host nft flush ruleset
	watching
	until_true restored 1
	assert_filtered
}

@test "repair restores what a detach removes, for vif and tap, without the store" {
	guest ip 10.0.0.1
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	kill -STOP "$(<"$STORE_DIR/pid")"
	host nft flush ruleset
	run host "$helper" repair
	kill -CONT "$(<"$STORE_DIR/pid")"
	[[ "$status" -eq 0 ]]
	assert_filtered
	host ip link set tap1.0 up
	[[ ! "$(host "$root/tests/frames/send" tap1.0 other 'ipv4 dst=10.0.0.9' <<<'ipv4 src=10.0.0.3')" ]]
	restored 2
	host "$helper" repair
	restored 2
	call vif-bridge check vif 1 0
	tap_remove 1 0
	offline 1 0
	[[ "$(host nft list table netdev xen_hotplug)" != *@(hook|counter)* ]]
}

@test "a filter is restored as it was attached, whatever hotplug.conf says now" {
	local before
	configured 'serves = xenbr0' 'protocols = none'
	guest ip '10.0.0.1 fd00::1'
	before=$(host nft list table netdev xen_hotplug)
	configured 'no setting'
	host nft flush ruleset
	call vif-bridge repair vif 1 0
	diff <(echo "$before") <(host nft list table netdev xen_hotplug)
}

@test "a device on which another script works does not delay the others" {
	guest ip 10.0.0.1
	domain 2
	vif_link vif2.0 guest2.0
	vif_nodes 2 0 bridge xenbr0 ip 10.0.0.2
	online 2 0
	watching
	# shellcheck disable=SC2016 # the inner shell expands
	nsenter --target "$host_pid" --mount --net -- setpriv --pdeathsig KILL bash -c \
		'exec 9<>/run/xen-hotplug/lock && "$1" lock 9:vif/2/0 && exec sleep infinity' - "$helper" 3>&- &
	holder=$!
	until_true locked
	host nft flush ruleset
	until_true restored 1
	assert_filtered
	run ! host nft list chain netdev xen_hotplug vif2.0
	kill "$holder"
	wait "$holder" || :
	holder=''
	until_true restored 2
	host nft list chain netdev xen_hotplug vif2.0
}

# locked
# Does somebody have the lock of guest 2's interface?
locked() {
	# shellcheck disable=SC2016 # the inner shell expands
	! host bash -c '"$1" lock --wait 0.01 9:vif/2/0 9<>/run/xen-hotplug/lock' - "$helper" 2>"$BATS_TEST_TMPDIR/locked"
}

@test "what cannot be restored is reported with the reason" {
	guest ip 10.0.0.1
	host nft flush ruleset
	real_nft=$(type -P nft)
	stand_in nft <<-'END'
		#!/bin/sh
		[ "$1" != -f ] || { echo 'Error: out of luck' >&2; exit 1; }
		echo 'Error: No such file or directory' >&2
		exit 1
	END
	run host "$helper" repair vif/1/0
	[[ "$status" -eq 1 ]]
	[[ "$output" == *'The rules of vif/1/0 are not restored: '*'out of luck'* ]]
	assert_node backend/vif/1/0/hotplug-status connected
	host umount "$real_nft"
}

@test "a guest without rules, and one whose interface is gone, start no script" {
	guest
	run host "$helper" repair vif/1/0 vif/7/0
	[[ "$status" -eq 0 && ! "$output" ]]
	nodes backend/vif/1/0 ip 10.0.0.1
	online 1 0
	host ip link delete vif1.0
	host nft flush ruleset
	host "$helper" repair
	run ! restored 1
}

@test "tables that masquerade are back after a flush" {
	domain 2
	for domid in 1 2; do
		vif "$domid" 0
		call vif-nat online vif "$domid" 0 type_if=vif
	done
	watching
	host nft flush ruleset
	until_true grep -q 'masquerade was restored' "$log"
	until_true call vif-nat check vif 2 0
	call vif-nat check vif 1 0
	host nft list table ip xen_hotplug_nat | grep '10.0.1.1, 10.0.2.1'
	host nft flush set ip xen_hotplug_nat guests
	until_true call vif-nat check vif 2 0
	call vif-nat check vif 1 0
}

@test "shared rules are back if the script of one guest cannot be started" {
	local domid own=$BATS_TEST_TMPDIR/vif-own
	domain 2
	install -m 0755 "$scripts/vif-nat" "$own"
	sed -i "s|^\. .*|. ${scripts@Q}/hotplug.sh|" "$own"
	for domid in 1 2; do
		vif "$domid" 0
		libxl_environment vif "$domid" 0
		if ((domid == 1)); then host env "${environment[@]}" "$own" online type_if=vif; else call vif-nat online vif 2 0 type_if=vif; fi
	done
	# One of the two comes first in the directory.
	chmod o+w "$own"
	host nft flush ruleset
	run host "$helper" repair
	[[ $status == 1 && $output == *'The rules of vif/1/0 are not restored: Its script '* ]]
	call vif-nat check vif 2 0
}
