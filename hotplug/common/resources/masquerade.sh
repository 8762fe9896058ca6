# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What guests with these addresses send leaves this host with the host's
# address; guests see each other's own. The rules are of all such guests, and
# come and go with the first and the last.

library config
library journals

masquerade_table=xen_hotplug_nat
masquerade_chain=XEN_HOTPLUG_NAT       # of iptables
masquerade_key='masqueraded addresses' # under which a device remembers its own

# masquerade_acquire <addresses>
masquerade_acquire() {
	local with all
	masquerade_with with
	journal_remember with "$with" "$masquerade_key" "$1"
	masquerade_apply "$with" "$1" "$1" || fail "Cannot masquerade $1: $reason"
}

# masquerade_plan <addresses>
masquerade_plan() {
	local with
	masquerade_with with
}

# masquerade_release <addresses>
# The others' stay. Another may come while ours go: it has said so in its
# journal before it looked.
masquerade_release() {
	local with
	journal_recall with with
	[[ $with && $with != none ]] || return 0
	journal_leave "$masquerade_key"
	masquerade_apply "$with" "$1" ''
}

# masquerade_with <out-var>
# nftables, iptables or none; fails where neither is there.
masquerade_with() {
	local chosen
	config_get chosen firewall
	if [[ $chosen == auto ]]; then
		chosen=nftables
		type -P nft >/dev/null || chosen=iptables
	fi
	[[ $chosen != nftables ]] || type -P nft >/dev/null || masquerade_lacks nft nftables
	[[ $chosen != iptables ]] || type -P iptables >/dev/null || masquerade_lacks iptables nftables
	printf -v "$1" '%s' "$chosen"
}

# masquerade_lacks <command> <package>
masquerade_lacks() {
	fail "$hotplug_name needs the command '$1', which is not in $PATH; install the package $2, or write firewall = none into $hotplug_config and masquerade the guests by other means."
}

# masquerade_apply nftables|iptables|none <our addresses> <those of them that are to be there>
# Makes the rules be for these and all others' addresses, until no other has
# come or gone meanwhile. Fails with reason set.
masquerade_apply() {
	local -A others
	local before=none
	[[ $1 != none ]] || return 0
	journal_others "$masquerade_key"
	while [[ ${others[*]} != "$before" ]]; do
		before=${others[*]}
		"masquerade_$1" "$2" "$3 $before" || return
		journal_others "$masquerade_key"
	done
}

# masquerade_family <out-var> ip|ip6 <addresses>
# Those of the family, with commas between them.
masquerade_family() {
	local address words chosen=''
	read -ra words <<<"$3"
	for address in "${words[@]}"; do
		[[ $2 == ip && $address == *:* || $2 == ip6 && $address != *:* ]] || chosen+="$address, "
	done
	printf -v "$1" '%s' "${chosen%, }"
}

# masquerade_nftables <our addresses> <all addresses>
# Changes the tables of the families that ours are of. For the first guest they
# can be made, which takes nft a third of the time that replacing them does.
masquerade_nftables() {
	local first='' instead='' family ours all
	for family in ip:ipv4 ip6:ipv6; do
		masquerade_family ours "${family%:*}" "$1"
		masquerade_family all "${family%:*}" "$2"
		[[ ! $ours ]] || masquerade_rules "${family%:*}" "${family#*:}" "$all"
	done
	[[ ${2% } == "$1" ]] && run_with "$first" nft -f - && return 0
	run_with "$instead" nft -f -
}

# masquerade_rules ip|ip6 ipv4|ipv6 <addresses>
# Adds to the caller's first what makes the table where there is none, and to
# instead what replaces it, in one transaction.
masquerade_rules() {
	local table="$1 $masquerade_table" rules=''
	[[ ! $3 ]] || rules="add set $table guests { type ${2}_addr; flags interval; auto-merge; elements = { $3 }; }
add chain $table postrouting {
type nat hook postrouting priority 100; policy accept;
$1 saddr @guests $1 daddr != @guests masquerade
}
"
	first+="create table $table"$'\n'"$rules"
	instead+="add table $table"$'\n'"delete table $table"$'\n'"${rules:+add table $table$'\n'}$rules"
}

# masquerade_iptables <our addresses> <all addresses>
# The same, with a chain of our own in each family's table nat.
masquerade_iptables() {
	local family ours all
	for family in ip ip6; do
		masquerade_family ours "$family" "$1"
		masquerade_family all "$family" "$2"
		[[ ! $ours ]] || masquerade_chain_set "${family}tables" "$all" || return
	done
}

# masquerade_chain_set iptables|ip6tables <addresses>
masquerade_chain_set() {
	local jump=(POSTROUTING -j "$masquerade_chain") lines=$'*nat\n'":$masquerade_chain - [0:0]"$'\n'
	if [[ $2 ]]; then
		lines+="-A $masquerade_chain -d ${2// /} -j RETURN"$'\n'"-A $masquerade_chain -s ${2// /} -j MASQUERADE"$'\n'
		run_with "$lines"$'COMMIT\n' "$1-restore" --wait --noflush || return
		run "$1" --wait --table nat --check "${jump[@]}" || run "$1" --wait --table nat --append "${jump[@]}"
	else
		while run "$1" --wait --table nat --delete "${jump[@]}"; do :; done
		run_with "$lines-X $masquerade_chain"$'\nCOMMIT\n' "$1-restore" --wait --noflush
	fi
}
