# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Masquerades the guests' packets that leave this host; among each other, guests
# see their own addresses. All such guests share the rules, which are added with
# the first of them and removed with the last.

library lib/config
library journal-read

masquerade_table=xen_hotplug_nat
masquerade_chain=XEN_HOTPLUG_NAT       # iptables' chain
masquerade_key='masqueraded addresses' # the key of a device's own in its journal

masquerade_firewall=''  # set by masquerade_choose: nftables, iptables or none
masquerade_addresses='' # set by masquerade_family
masquerade_kind=''      # set by masquerade_name_kind
masquerade_create=''    # what creates the tables of masquerade_nftables
masquerade_replace=''   # and what replaces them

masquerade_arguments='ADDRESSES'

# masquerade_acquire <addresses>
masquerade_acquire() {
	masquerade_choose
	[[ $masquerade_firewall != none ]] || return 0
	lock masquerade || fail "$reason"
	masquerade_name_kind "$1"
	journal_remember with "$masquerade_firewall" "$masquerade_key" "$1" 'shared rules' "$masquerade_kind"
	masquerade_apply "$masquerade_firewall" "$1" "$1" || fail "Cannot masquerade $1: $reason"
	unlock masquerade
}

# masquerade_plan <addresses>
masquerade_plan() {
	masquerade_choose
}

# masquerade_release <addresses>
# The others' stay.
masquerade_release() {
	local with
	journal_recall with with
	[[ $with && $with != none ]] || return 0
	lock masquerade || return
	masquerade_apply "$with" "$1" '' || return
	journal_drop "$masquerade_key"
	unlock masquerade
}

# masquerade_repair <addresses>
# The others', too.
masquerade_repair() {
	local with
	journal_recall with with
	lock masquerade || return
	masquerade_apply "$with" "$1" "$1" || return
	unlock masquerade
}

# masquerade_check <addresses>
masquerade_check() {
	local with family word words
	journal_recall with with
	[[ $with && $with != none ]] || return 0
	for family in ip ip6; do
		masquerade_family "$family" "$1"
		read -ra words <<<"${masquerade_addresses//,/}"
		for word in "${words[@]}"; do
			masquerade_has "$with" "$family" "$word" && continue
			reason="Nothing masquerades $word, because its rules are gone; run 'xen-hotplug repair'."
			return 1
		done
	done
}

# masquerade_has nftables|iptables ip|ip6 <address>
masquerade_has() {
	if [[ $1 == nftables ]]; then
		run nft get element "$2" "$masquerade_table" guests "{ $3 }"
	else
		run "${2}tables" --wait --table nat --check POSTROUTING -j "$masquerade_chain" &&
			run "${2}tables" --wait --table nat --check "$masquerade_chain" -s "$3" -j MASQUERADE
	fi
}

# masquerade_choose
# Sets masquerade_firewall; fails if the program is missing.
masquerade_choose() {
	local chosen
	config_get chosen firewall
	if [[ $chosen == auto ]]; then
		chosen=nftables
		type -P nft >/dev/null || ! type -P iptables >/dev/null || chosen=iptables
	fi
	[[ $chosen != nftables ]] || type -P nft >/dev/null || masquerade_lacks nft nftables
	[[ $chosen != iptables ]] || type -P iptables >/dev/null || masquerade_lacks iptables iptables
	masquerade_firewall=$chosen
}

# masquerade_lacks <command> <package>
masquerade_lacks() {
	fail "$hotplug_name needs the command '$1' to masquerade guests; install the package $2, or set firewall = none in $hotplug_config and masquerade them yourself."
}

# masquerade_apply nftables|iptables <our addresses> <those of them that are to be there>
# Makes the rules be for these and all others' addresses. Fails with reason set.
masquerade_apply() {
	journal_others "$masquerade_key"
	"masquerade_$1" "$2" "$3 ${journal_theirs[*]}"
}

# masquerade_family ip|ip6 <addresses>
# Sets masquerade_addresses to those of the family, separated by commas.
masquerade_family() {
	local address words chosen=''
	read -ra words <<<"$2"
	for address in "${words[@]}"; do
		[[ $1 == ip && $address == *:* || $1 == ip6 && $address != *:* ]] || chosen+="$address, "
	done
	masquerade_addresses=${chosen%, }
}

# masquerade_name_kind <addresses>
# Sets masquerade_kind: guests with the same one need the same tables.
masquerade_name_kind() {
	local family
	masquerade_kind="masquerade $masquerade_firewall"
	for family in ip ip6; do
		masquerade_family "$family" "$1"
		[[ ! $masquerade_addresses ]] || masquerade_kind+=" $family"
	done
}

# masquerade_nftables <our addresses> <all addresses>
# Sets the tables of our addresses' families. For the first guest it creates them,
# which takes nft a third of the time of replacing them.
masquerade_nftables() {
	local family
	masquerade_create='' masquerade_replace=''
	for family in ip:ipv4 ip6:ipv6; do
		masquerade_family "${family%:*}" "$1"
		[[ $masquerade_addresses ]] || continue
		masquerade_family "${family%:*}" "$2"
		masquerade_rules "${family%:*}" "${family#*:}" "$masquerade_addresses"
	done
	[[ ${2% } == "$1" ]] && run_with "$masquerade_create" nft -f - && return 0
	run_with "$masquerade_replace" nft -f -
}

# masquerade_rules ip|ip6 ipv4|ipv6 <addresses>
# Adds to masquerade_create and to masquerade_replace, each one transaction.
masquerade_rules() {
	local table="$1 $masquerade_table" rules=''
	[[ ! $3 ]] || rules="add set $table guests { type ${2}_addr; flags interval; auto-merge; elements = { $3 }; }
add chain $table postrouting {
type nat hook postrouting priority 100; policy accept;
$1 saddr @guests $1 daddr != @guests masquerade
}
"
	masquerade_create+="create table $table"$'\n'"$rules"
	masquerade_replace+="add table $table"$'\n'"delete table $table"$'\n'"${rules:+add table $table$'\n'}$rules"
}

# masquerade_iptables <our addresses> <all addresses>
# The same for iptables, with our own chain in each family's table nat.
masquerade_iptables() {
	local family
	for family in ip ip6; do
		masquerade_family "$family" "$1"
		[[ $masquerade_addresses ]] || continue
		masquerade_family "$family" "$2"
		masquerade_chain_set "${family}tables" "$masquerade_addresses" || return
	done
}

# masquerade_chain_set iptables|ip6tables <addresses>
masquerade_chain_set() {
	local i jump=(POSTROUTING -j "$masquerade_chain") lines=$'*nat\n'":$masquerade_chain - [0:0]"$'\n'
	if [[ $2 ]]; then
		lines+="-A $masquerade_chain -d ${2// /} -j RETURN"$'\n'"-A $masquerade_chain -s ${2// /} -j MASQUERADE"$'\n'
		run_with "$lines"$'COMMIT\n' "$1-restore" --wait --noflush || return
		run "$1" --wait --table nat --check "${jump[@]}" || run "$1" --wait --table nat --append "${jump[@]}"
	else
		# There is one, or a few that others have added; not more than this.
		for ((i = 0; i < 8; i++)); do
			run "$1" --wait --table nat --delete "${jump[@]}" || break
		done
		run_with "$lines-X $masquerade_chain"$'\nCOMMIT\n' "$1-restore" --wait --noflush
	fi
}
