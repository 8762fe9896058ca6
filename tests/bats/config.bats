# SPDX-License-Identifier: LGPL-2.1-only
# hotplug.conf: what an administrator decides for all guests.

load ../lib/host
load ../lib/observe
load ../lib/enumerate

setup() {
	host_start
	domain 1
	bridge xenbr0
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	conf=$scripts/../hotplug.conf
}

teardown() {
	host_stop
}

# attach [line...]
# With these lines in hotplug.conf.
attach() {
	printf '%s\n' "$@" >"$conf"
	online 1 0
}

# chain
# The filter of the guest's interface.
chain() {
	host nft list chain netdev xen_hotplug vif1.0
}

@test "the installed file and no file give the same behaviour" {
	vif 1 0 ip 10.0.0.1
	online 1 0
	chain >"$BATS_TEST_TMPDIR/with"
	rm "$conf"
	online 1 0
	chain | diff "$BATS_TEST_TMPDIR/with" -
	run ! grep -v -e '^#' -e '^$' "$root/hotplug/hotplug.conf"
}

@test "each setting in the installed file is valid and shows its default" {
	local line
	while IFS= read -r line; do
		printf '%s\n' "$line" >"$conf"
		program "$scripts/reads" <<-END
			#!/bin/bash
			. "\${0%/*}/hotplug.sh"
			library lib/config
			default=\${config_value[${line%% *}]}
			config_get value ${line%% *}
			[[ \$value == "\$default" ]] || fail "${line%% *} is \$value, and not \$default."
			lifecycle_answer 0
		END
		host "$scripts/reads" help
	done < <(sed -n 's/^#\([a-z_]* = .*\)/\1/p' "$root/hotplug/hotplug.conf")
	[[ "$(grep -c '^#[a-z_]* = ' "$root/hotplug/hotplug.conf")" == 4 ]]
}

@test "comments, spaces and a last line without a newline are accepted" {
	vif 1 0
	printf '# bind_mac = n\n\n  bind_mac=y   # every guest\n firewall = nftables' >"$conf"
	online 1 0
	chain | grep '00:16:3e:00:00:01'
}

@test "with bind_mac, a guest without ip= may use only its own MAC address, and any IP address" {
	vif 1 0
	attach 'bind_mac = y'
	host ip link add wire type veth peer name other
	host ip link set wire master xenbr0 up
	host ip link set xenbr0 type bridge forward_delay 0 mcast_snooping 0
	host ip link set guest1.0 up
	host ip link set other up
	run host "$root/tests/frames/send" guest1.0 other 'ipv4 src=10.9.9.9' <<-'END'
		ipv4 mac=00:16:3e:00:00:02
		arp sha=00:16:3e:00:00:02
		arp spa=10.8.8.8
		ipv6 src6=fd00::99
	END
	host ip link delete wire
	[[ "$output" == $'arp spa=10.8.8.8\nipv6 src6=fd00::99' ]]
}

@test "firewall = none sets no rule" {
	vif 1 0 ip 10.0.0.1
	run attach 'firewall = none' 'bind_mac = y'
	[[ "$status" -eq 0 ]]
	[[ $output == *'although it has ip='* ]]
	grep 'although it has ip=' "$log"
	run ! chain
}

@test "a mistake in the file is named with its line" {
	local line
	vif 1 0 ip 10.0.0.1
	while IFS='|' read -r line sentence; do
		run attach '# a comment' "$line"
		[[ "$status" -eq 1 ]]
		assert_refused backend/vif/1/0 error "$sentence"
		assert_residue_free
	done <<-END
		firewall = ufw|Line 2 of $conf sets firewall to 'ufw', which is not one of auto, nftables, iptables, none
		firewal = none|Line 2 of $conf sets firewal, which is none of: firewall, bind_mac, protocols, serves
		bind_mac = yes|Line 2 of $conf sets bind_mac to 'yes', which is not y or n
		firewall|Line 2 of $conf is 'firewall', which is not 'NAME = VALUE'
		firewall =|Line 2 of $conf sets firewall to ''
		firewall = none none|sets firewall to 'none none', which is not one of auto
		protocols = esp tcp|sets protocols to 'esp tcp', which is not none or a list such as 'esp gre 112' (tcp is not
		protocols = esp 58|sets protocols to 'esp 58'
		protocols = 256|sets protocols to '256'
		protocols = x[\$(touch $BATS_TEST_TMPDIR/pwned)]|sets protocols to
		serves = web a/b|(a/b is none of these)
		serves =|sets serves to ''
		firewall = \$(touch $BATS_TEST_TMPDIR/pwned)|which is not one of auto
		config_type[x] = none|which is not 'NAME = VALUE'
	END
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

@test "a file that is a directory is refused" {
	rm "$conf"
	mkdir "$conf"
	vif 1 0 ip 10.0.0.1
	run online 1 0
	assert_refused backend/vif/1/0 error 'is not a readable regular file'
}

@test "a detach succeeds even if the file has become invalid" {
	vif 1 0 ip 10.0.0.1
	attach ''
	echo nonsense >"$conf"
	offline 1 0
	run ! chain
	assert_residue_free
}
