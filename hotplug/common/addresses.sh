# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# IPv4 and IPv6 addresses, as ip= of a guest's interface lists them. Read only
# where there are some to check (type_addresses).

# What addresses_parse leaves, in the list's order:
addresses_of=''     # the list
addresses_ipv4=()   # 192.0.2.1, 192.0.2.0/24
addresses_ipv6=()   # 2001:db8::1, 2001:db8::/64
addresses_ranges=() # the same as addresses_ipv6, as numbers: 0xFIRST or 0xFIRST-0xLAST

# The shortest prefixes: what is wider than that is a mistake.
addresses_least_ipv4=8
addresses_least_ipv6=32

# addresses_parse <list>
# Fails, with expected set as types do, where it is not 1 to 64 addresses with
# spaces between them, each perhaps with the length of its prefix. The same list
# once more costs nothing.
addresses_parse() {
	local words word
	[[ ! $1 || $1 != "$addresses_of" ]] || return 0
	addresses_of='' addresses_ipv4=() addresses_ipv6=() addresses_ranges=()
	expected='a list of 1 to 64 IPv4 or IPv6 addresses with spaces between them, such as 192.0.2.1 2001:db8::/64'
	[[ $1 != *[!0-9A-Fa-f:./\ ]* && ${#1} -le 4095 ]] || return
	read -ra words <<<"$1"
	((${#words[@]} >= 1 && ${#words[@]} <= 64)) || return
	for word in "${words[@]}"; do
		((${#word} <= 43)) || return # no address is longer, and a sentence is to be read
		expected="a list of addresses that a guest can have, as $word is none"
		addresses_take "$word" || return
	done
	addresses_of=$1
}

# addresses_take <address[/length]>
addresses_take() {
	local length=''
	[[ $1 != */* ]] || length=${1#*/}
	[[ $1 != */* || $length =~ ^(0|[1-9][0-9]{0,2})$ ]] || return
	if [[ $1 == *:* ]]; then
		addresses_take_ipv6 "${1%%/*}" "${length:-128}" "$1"
	else
		addresses_take_ipv4 "${1%%/*}" "${length:-32}" "$1"
	fi
}

# addresses_take_ipv4 <address> <length> <both>
# Not in 0/8, 127/8 and 224/3: no host is there.
addresses_take_ipv4() {
	local octet='(0|[1-9][0-9]{0,2})' value=0 part
	[[ $1 =~ ^$octet\.$octet\.$octet\.$octet$ ]] || return
	for part in "${BASH_REMATCH[@]:1}"; do
		((part <= 255)) || return
		value=$((value << 8 | part))
	done
	part=$((value >> 24))
	((part != 0 && part != 127 && part < 224 && $2 <= 32)) || return
	addresses_is_prefix "$3" "$2" "$addresses_least_ipv4" $((value & (1 << 32 - $2) - 1)) || return
	addresses_ipv4+=("$3")
}

# addresses_take_ipv6 <address> <length> <both>
# Not in 0::/16, which has ::, ::1 and IPv4 as IPv6, and not in ff00::/8.
addresses_take_ipv6() {
	local groups=() last=() beyond=0
	addresses_groups "$1" || return
	((groups[0] != 0 && groups[0] < 0xff00 && $2 <= 128)) || return
	if (($2 == 128)); then
		last=("${groups[@]}")
	else
		addresses_last "$2"
	fi
	addresses_is_prefix "$3" "$2" "$addresses_least_ipv6" "$beyond" || return
	addresses_ipv6+=("$3")
	addresses_range
}

# addresses_is_prefix <address/length> <length> <least length> <bits beyond it>
# Fails, with a sentence of its own, where the prefix is too wide, or the
# address is not its first one: that would allow all of a network where perhaps
# one host of it was meant.
addresses_is_prefix() {
	if (($2 < $3)); then
		expected="a list of a guest's addresses, as $1 is too many: a prefix has a length of $3 or more"
	elif (($4)); then
		expected="a list of a guest's addresses, as $1 is neither one host (${1%/*}) nor a network, which ends in zeros"
	else
		return 0
	fi
	return 1
}

# addresses_groups <IPv6 address>
# Sets the caller's groups to its eight numbers, 0xfe80. Fails where it is none; the
# notation with an IPv4 address at its end is not known here.
addresses_groups() {
	local group='[[:xdigit:]]{1,4}' zeros=(0 0 0 0 0 0 0 0) half left right count
	half="($group(:$group)*)?"
	[[ $1 =~ ^$half(::$half)?$ ]] || return
	IFS=: read -ra left <<<"${BASH_REMATCH[1]}"
	IFS=: read -ra right <<<"${BASH_REMATCH[4]-}"
	count=$((${#left[@]} + ${#right[@]}))
	if [[ $1 == *::* ]]; then
		((count < 8)) || return
	else
		((count == 8)) || return
	fi
	groups=("${left[@]/#/0x}" "${zeros[@]:count}" "${right[@]/#/0x}")
}

# addresses_last <length>
# Sets the caller's last to the prefix's last address, as groups has its first
# one, and beyond to the bits that the first has behind the prefix.
addresses_last() {
	local i free
	for ((i = 0; i < 8; i++)); do
		free=$((16 * (i + 1) - $1))
		free=$(((1 << (free < 0 ? 0 : free > 16 ? 16 : free)) - 1))
		beyond=$((beyond | groups[i] & free))
		last+=($((groups[i] | free)))
	done
}

# addresses_range
# Adds the caller's groups and last to addresses_ranges.
addresses_range() {
	local from to
	printf -v from '%04x' "${groups[@]}"
	printf -v to '%04x' "${last[@]}"
	[[ $from == "$to" ]] || from+=-0x$to
	addresses_ranges+=("0x$from")
}
