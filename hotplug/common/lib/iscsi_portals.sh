# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The portals of an iSCSI target: the addresses at which it is reached.

library lib/addresses

# Set by iscsi_portals_parse: ADDRESS,PORT each, as in the names of iscsiadm's
# records, with IPv6 addresses in the form of RFC 5952.
iscsi_portals=()

# Two that do not answer use up all the time of an attach.
iscsi_portals_most=4

# iscsi_portals_parse <list>
# ADDRESS[:PORT], or [ADDRESS][:PORT] for IPv6, separated by +, which needs no
# quotes anywhere and is in no address. Fails with expected set, like a type.
iscsi_portals_parse() {
	local portal portals
	iscsi_portals=()
	expected="a list of 1 to $iscsi_portals_most portals joined by +, such as 192.0.2.1+192.0.2.2:3261+[2001:db8::1]:3260"
	[[ $1 && $1 != *[!][0-9A-Fa-f:.+]* && $1 != *+ ]] || return
	IFS=+ read -ra portals <<<"$1"
	((${#portals[@]} <= iscsi_portals_most)) || return
	for portal in "${portals[@]}"; do
		iscsi_portals_take "$portal" || return
	done
}

# iscsi_portals_take <portal>
# Also fails if the portal is already in the list.
iscsi_portals_take() {
	local address port
	[[ $1 =~ ^(\[([^][]*)\]|([0-9.]*))(:([1-9][0-9]{0,4}))?$ ]] || return
	address=${BASH_REMATCH[2]}${BASH_REMATCH[3]} port=${BASH_REMATCH[5]:-3260}
	((port <= 65535)) && iscsi_portals_spell address || return
	[[ " ${iscsi_portals[*]} " != *" $address,$port "* ]] || return
	iscsi_portals+=("$address,$port")
}

# iscsi_portals_spell <in-out-var>
# Brings an address into the form above. Fails if it is none.
iscsi_portals_spell() {
	local groups=() text zeros octet='(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
	[[ ! ${!1} =~ ^$octet(\.$octet){3}$ ]] || return 0
	addresses_groups "${!1}" || return
	printf -v text ':%x' "${groups[@]}"
	for zeros in :0:0:0:0:0:0:0:0 :0:0:0:0:0:0:0 :0:0:0:0:0:0 :0:0:0:0:0 :0:0:0:0 :0:0:0 :0:0; do
		[[ $text: != *"$zeros":* ]] || break
	done
	text=$text:
	text=${text/"$zeros:"/::}
	[[ $text == ::* ]] || text=${text#:}
	[[ $text == *:: ]] || text=${text%:}
	printf -v "$1" '%s' "$text"
}

# iscsi_portals_option <out-var> <ADDRESS,PORT>
# The portal as iscsiadm expects it in an option.
iscsi_portals_option() {
	local address=${2%,*}
	[[ $address != *:* ]] || address="[$address]"
	printf -v "$1" '%s' "$address:${2##*,}"
}
