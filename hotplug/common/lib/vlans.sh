# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The VLANs in the vlan= of an interface. Read only if there are any (type_vlans).
# The grammar: xen.git, docs/man/xl-network-configuration.5.pod.in.

# Set by vlans_parse:
vlans_pvid=''     # the VLAN of the guest's untagged frames, or empty
vlans_untagged=() # those whose frames the guest gets untagged: 10, or 20-25
vlans_tagged=()   # those whose frames it gets tagged
vlans_taken=()    # VLAN -> y, for each that is in one of the two

vlans_form='a list of VLANs from 1 to 4094 separated by slashes: 10, 10p, 20u, 20-25, 20-25u, 100+10x4, 100+10x4u'

# vlans_parse <list>
# Fails with expected set, like a type, if it is not such a list, has a VLAN
# twice, or has no PVID. A single VLAN is the PVID.
vlans_parse() {
	local list=$1
	[[ ! $list =~ ^[0-9]+u?$ ]] || list=${list%u}p
	vlans_parse_any "$list" || return
	expected='a list with a PVID (put a p behind one VLAN, as in 10p/20)'
	[[ $vlans_pvid ]]
}

# vlans_parse_any <list>
# The same, but the PVID is optional.
vlans_parse_any() {
	local rest=$1/
	vlans_pvid='' vlans_untagged=() vlans_tagged=() vlans_taken=()
	while [[ $rest ]]; do
		vlans_take "${rest%%/*}" || return
		rest=${rest#*/}
	done
}

# vlans_take <term>
vlans_take() {
	local number='([1-9][0-9]{0,3})'
	expected=$vlans_form
	if [[ $1 =~ ^$number([pu]?)$ ]]; then
		vlans_take_one "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	elif [[ $1 =~ ^$number-$number(u?)$ ]]; then
		vlans_add "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
	elif [[ $1 =~ ^$number\+${number}x$number(u?)$ ]]; then
		vlans_take_series "${BASH_REMATCH[@]:1:4}"
	else
		return 1
	fi
}

# vlans_take_one <VLAN> <p, u or empty>
vlans_take_one() {
	vlans_add "$1" "$1" "$2" || return
	[[ $2 == p ]] || return 0
	expected="a list with one PVID ($vlans_pvid and $1 are both marked with p)"
	[[ ! $vlans_pvid ]] && vlans_pvid=$1
}

# vlans_take_series <VLAN> <step> <how many more> <u or empty>
vlans_take_series() {
	local at
	for ((at = $1; at <= $1 + $2 * $3; at += $2)); do
		vlans_add "$at" "$at" "$4" || return
	done
}

# vlans_add <first> <last> <p, u or empty>
vlans_add() {
	local at range=$1
	expected=$vlans_form
	(($1 <= $2 && $2 <= 4094)) || return
	for ((at = $1; at <= $2; at++)); do
		expected="a list with each VLAN once (it has $at twice)"
		[[ ! ${vlans_taken[at]-} ]] || return
		vlans_taken[at]=y
	done
	(($1 == $2)) || range+=-$2
	[[ $3 ]] && vlans_untagged+=("$range") || vlans_tagged+=("$range")
}
