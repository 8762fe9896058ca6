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
# Those of FORWARD, of both families.
rules() {
	host iptables --list-rules FORWARD | grep '^-A' || :
	host ip6tables --list-rules FORWARD | grep '^-A' || :
}
