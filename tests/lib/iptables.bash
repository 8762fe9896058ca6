# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A host whose firewall is iptables. Sourced by bats files, after host.bash.

# iptables_drops
# From now on it drops what it forwards.
iptables_drops() {
	local command
	for command in iptables ip6tables; do
		host "$command" --policy FORWARD DROP
	done
}

# legacy
# The iptables of the kernel's own tables, with a lock: else it is that of nftables.
legacy() {
	local command
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	for command in iptables{,-restore} ip6tables{,-restore}; do
		ln -s "$(type -P xtables-legacy-multi)" "$BATS_TEST_TMPDIR/bin/$command"
	done
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# rules
# Those of FORWARD and of our own chain, of both families.
rules() {
	local command
	for command in iptables ip6tables; do
		host "$command" --list-rules | grep -e '^-A FORWARD' -e '^-A XEN_HOTPLUG ' || :
	done
}

# noted <command>...
# From now on a call of them is noted in the file called, and fails.
noted() {
	local command
	noted_path=$PATH
	mkdir -p "$BATS_TEST_TMPDIR/noted"
	for command; do
		printf '#!/bin/sh\necho %s >>%q/called\nexit 3\n' "$command" "$BATS_TEST_TMPDIR" |
			program "$BATS_TEST_TMPDIR/noted/$command"
	done
	PATH=$BATS_TEST_TMPDIR/noted:$PATH
}

# noted_no_more
noted_no_more() {
	PATH=$noted_path
}
