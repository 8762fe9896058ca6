# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The types that a parameter may have. type_NAME <value> [detail] succeeds if the
# value is valid; otherwise it sets expected, which completes the message
# "… is VALUE, which is not …". A script may define its own types.

expected='' # set by a type that fails
accepted='' # set by a type that replaces the value by another form of it

types_known='addresses bool choice:A,B disk host ifname mac mode mtu path port uint vlans word'

# type_word <value>
type_word() {
	expected='a word of at most 255 letters, digits and the characters . _ : @ + -, not beginning with a dash'
	[[ $1 =~ ^[A-Za-z0-9._:@+][A-Za-z0-9._:@+-]{0,254}$ ]]
}

# type_uint <value>
type_uint() {
	expected='a number from 0 to 4294967295'
	[[ $1 =~ ^(0|[1-9][0-9]{0,9})$ ]] && (($1 <= 4294967295))
}

# type_port <value>
type_port() {
	expected='a port number from 1 to 65535'
	[[ $1 =~ ^[1-9][0-9]{0,4}$ ]] && (($1 <= 65535))
}

# type_bool <value>
type_bool() {
	expected='y or n'
	[[ $1 == [yn] ]]
}

# type_choice <value> <a,b,…>
type_choice() {
	expected="one of ${2//,/, }"
	[[ $1 && $1 != *,* && ,$2, == *,"$1",* ]]
}

# type_ifname <value>
# What the kernel accepts as an interface's name (dev_valid_name in Linux'
# net/core/dev.c), without what a tool would take for an option, a comment or a
# quote.
type_ifname() {
	expected='the name of an interface: 1 to 15 bytes without spaces, quotes and the characters / : # \, not beginning with a dash or a full stop'
	[[ $1 && $1 != [.-]* && ${#1} -le 15 && $1 != *[[:space:][:cntrl:]/:#\"\'\\]* ]] && types_unreserved "$1"
}

# types_unreserved <value>
# A name that the kernel takes for an interface: in /proc/sys/net, all and default are
# no interfaces, bonding_masters is a file in /sys/class/net, and % asks for a number.
types_unreserved() {
	expected='the name of an interface for guests (not all, default, lo or bonding_masters, and without %)'
	[[ $1 != @(all|default|lo|bonding_masters) && $1 != *%* ]]
}

# type_host <value>
type_host() {
	expected='the name or address of a host'
	[[ $1 =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$ || $1 =~ ^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$ ]]
}

# type_mtu <value>
type_mtu() {
	expected='an MTU from 68 to 65535'
	[[ $1 =~ ^[1-9][0-9]{1,4}$ ]] && (($1 >= 68 && $1 <= 65535))
}

# type_path <value>
# An absolute path. Spaces, quotes and newlines are legal in one.
type_path() {
	expected='an absolute path of at most 4095 bytes'
	[[ $1 == /* && ${#1} -le 4095 ]]
}

# type_disk <value>
# A path, or a name under /dev, as in phy:sda1. udev makes names with : + @ and
# backslashes, and LVM with a dot.
type_disk() {
	type_path "$1" && return 0
	expected='an absolute path, or the name of a device under /dev'
	[[ $1 && ${#1} -le 4090 && /$1/ != *@(//|/./|/../)* && ! $1 =~ [^/]{256} ]]
}

# type_mode <value>
# r, w, and w!, which is w without the check for other users; and their old spellings.
type_mode() {
	expected='one of r, ro, w, rw, w!, rw!'
	[[ $1 == @(r|ro|w|rw|w!|rw!) ]]
}

# type_mac <value>
type_mac() {
	expected='a MAC address, such as 00:16:3e:00:00:01'
	[[ $1 =~ ^[[:xdigit:]]{2}(:[[:xdigit:]]{2}){5}$ ]]
}

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
