# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The types that a parameter may have. type_NAME <value> [detail] succeeds if the
# value is valid; otherwise it sets expected, which completes the message
# "… is VALUE, which is not …". A script may define its own types.

expected='' # set by a type that fails
accepted='' # set by a type that replaces the value by another form of it

types_known='addresses bool choice:A,B disk host ifname mac mode mtu path port uint vlans word'

# types_ask <type> <value>
# Is it of that type, which the helper knows (helpers/type.c)?
types_ask() {
	helper type "$1" "$2" || fail "$reason"
	expected=${run_reply[0]}
	[[ ! $expected ]]
}

type_bool() { types_ask bool "$1"; }
type_choice() { types_ask "choice:$2" "$1"; }
type_disk() { types_ask disk "$1"; }
type_host() { types_ask host "$1"; }
type_ifname() { types_ask ifname "$1"; }
type_mac() { types_ask mac "$1"; }
type_mode() { types_ask mode "$1"; }
type_mtu() { types_ask mtu "$1"; }
type_path() { types_ask path "$1"; }
type_port() { types_ask port "$1"; }
type_uint() { types_ask uint "$1"; }
type_word() { types_ask word "$1"; }

# type_addresses <value>
# A guest's addresses; see addresses_parse. The log of an attach has those that are one
# host although they have the length of a network.
type_addresses() {
	library lib/addresses
	addresses_parse "$1" || return
	accepted=$addresses_of
	[[ ! $addresses_hosts || $action != attach ]] ||
		warn "ip= has $addresses_hosts, which is taken for one host and not for its network, as the bits behind the prefix are not 0."
}

# type_vlans <value>
# An interface's VLANs; see vlans_parse.
type_vlans() {
	library lib/vlans
	vlans_parse "$1"
}
