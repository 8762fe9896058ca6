# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The portals of an iSCSI target: the addresses at which it is reached.

library lib/addresses

# Set by iscsi_portals_parse: ADDRESS,PORT each, as in the names of iscsiadm's
# records.
iscsi_portals_list=()

iscsi_portals_address='' # set by iscsi_portals_spell; IPv6 in the form of RFC 5952
iscsi_portals_option=''  # set by iscsi_portals_ask: a portal as iscsiadm expects it in an option

# Two that do not answer use up all the time of an attach.
iscsi_portals_most=4

# iscsi_portals_parse <list>
# ADDRESS[:PORT], or [ADDRESS][:PORT] for IPv6, separated by +, which needs no
# quotes anywhere and is in no address. Fails with expected set, like a type.
iscsi_portals_parse() {
	local portal portals
	iscsi_portals_clear
	expected="a list of 1 to $iscsi_portals_most portals joined by +, such as 192.0.2.1+192.0.2.2:3261+[2001:db8::1]:3260"
	[[ $1 && $1 != *[!][0-9A-Fa-f:.+]* && $1 != *+ ]] || return
	IFS=+ read -ra portals <<<"$1"
	((${#portals[@]} <= iscsi_portals_most)) || return
	for portal in "${portals[@]}"; do
		iscsi_portals_take "$portal" || return
	done
}

# iscsi_portals_clear
# Empties iscsi_portals_list, to which iscsi_portals_take adds.
iscsi_portals_clear() {
	iscsi_portals_list=()
}

# iscsi_portals_take <portal>
# Also fails if the portal is already in the list.
iscsi_portals_take() {
	local address port
	[[ $1 =~ ^(\[([^][]*)\]|([0-9.]*))(:([1-9][0-9]{0,4}))?$ ]] || return
	address=${BASH_REMATCH[2]}${BASH_REMATCH[3]} port=${BASH_REMATCH[5]:-3260}
	((port <= 65535)) && iscsi_portals_spell "$address" || return
	address=$iscsi_portals_address
	[[ " ${iscsi_portals_list[*]} " != *" $address,$port "* ]] || return
	iscsi_portals_list+=("$address,$port")
}

# iscsi_portals_spell <address>
# Sets iscsi_portals_address to the form above. Fails if it is none.
iscsi_portals_spell() {
	local text zeros octet='(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
	iscsi_portals_address=$1
	[[ ! $1 =~ ^$octet(\.$octet){3}$ ]] || return 0
	addresses_split "$1" || return
	printf -v text ':%x' "${addresses_groups[@]}"
	for zeros in :0:0:0:0:0:0:0:0 :0:0:0:0:0:0:0 :0:0:0:0:0:0 :0:0:0:0:0 :0:0:0:0 :0:0:0 :0:0; do
		[[ $text: != *"$zeros":* ]] || break
	done
	text=$text:
	text=${text/"$zeros:"/::}
	[[ $text == ::* ]] || text=${text#:}
	[[ $text == *:: ]] || text=${text%:}
	iscsi_portals_address=$text
}

# iscsi_portals_ask <ADDRESS,PORT>
# Sets iscsi_portals_option.
iscsi_portals_ask() {
	local address=${1%,*}
	[[ $address != *:* ]] || address="[$address]"
	iscsi_portals_option=$address:${1##*,}
}
