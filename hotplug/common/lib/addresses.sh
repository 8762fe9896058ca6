# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The IPv4 and IPv6 addresses in the ip= of a guest's interface. Read only if
# there are any to check (type_addresses).

# Set by addresses_parse, in the order of the list, each once:
addresses_of=''     # the list, in the form in which type_addresses passes it on
addresses_hosts=''  # those that were written with the length of their network: 192.0.2.1/24
addresses_ipv4=()   # 192.0.2.1, 192.0.2.0/24
addresses_ipv6=()   # 2001:db8::1, 2001:db8::/64, as the kernel writes them (RFC 5952)
addresses_ranges=() # addresses_ipv6 as numbers: 0xFIRST or 0xFIRST-0xLAST

addresses_words=() # the words of addresses_of
addresses_kept=''  # set by addresses_keep: the address or prefix; empty if the list has it already

# Set by addresses_split: the eight numbers of an IPv6 address, such as 0xfe80.
addresses_groups=()

# Set by addresses_extend, from addresses_groups and a prefix length:
addresses_last=()  # the eight numbers of the last address of the prefix
addresses_beyond=0 # the bits of addresses_groups behind the prefix, or 0

addresses_value=0  # set by addresses_quad: an IPv4 address as a number
addresses_length=0 # set by addresses_netmask
addresses_text=''  # set by addresses_compress: an IPv6 address

# The shortest prefixes; a wider one is assumed to be a mistake.
addresses_least_ipv4=8
addresses_least_ipv6=32

# addresses_parse <list>
# Fails with expected set, like a type, unless it is a list of addresses separated by
# white space, each with an optional prefix length. With host bits set, as Xen's scripts
# take it, that is the address of a host. Parsing addresses_of again costs nothing.
addresses_parse() {
	local words word
	[[ ! $1 || $1 != "$addresses_of" ]] || return 0
	addresses_of='' addresses_hosts='' addresses_words=() addresses_ipv4=() addresses_ipv6=() addresses_ranges=()
	expected='a list of IPv4 or IPv6 addresses separated by spaces, such as 192.0.2.1 2001:db8::/64'
	[[ $1 != *[!0-9A-Fa-f:./[:space:]]* && ${#1} -le 4095 ]] || return
	IFS=$' \t\n\v\f\r' read -r -d '' -a words <<<"$1" || :
	((${#words[@]})) || return
	for word in "${words[@]}"; do
		((${#word} <= 49)) || return # no address is longer, and the message must stay short
		expected="a list of addresses that a guest can have ($word is not one)"
		addresses_take "$word" || return
	done
	addresses_of="${addresses_words[*]}"
}

# addresses_take <address[/length]>
# That of an IPv4 network may be a netmask.
addresses_take() {
	local length=''
	[[ $1 != */* ]] || length=${1#*/}
	if [[ $1 != *:* && $length == *.* ]]; then
		addresses_netmask "$length" || return
		length=$addresses_length
	fi
	[[ $1 != */* || $length =~ ^(0|[1-9][0-9]{0,2})$ ]] || return
	if [[ $1 == *:* ]]; then
		addresses_take_ipv6 "${1%%/*}" "${length:-128}" "$1"
	else
		addresses_take_ipv4 "${1%%/*}" "${length:-32}" "$1"
	fi
}

# addresses_take_ipv4 <address> <length> <both>
# Refuses 0/8, 127/8 and 224/3, which hosts cannot have.
addresses_take_ipv4() {
	local first
	addresses_quad "$1" || return
	first=$((addresses_value >> 24))
	((first != 0 && first != 127 && first < 224 && $2 <= 32)) || return
	addresses_keep "$1" "$2" 32 "$addresses_least_ipv4" $((addresses_value & (1 << 32 - $2) - 1)) "$3" || return
	[[ ! $addresses_kept ]] || addresses_ipv4+=("$addresses_kept")
}

# addresses_take_ipv6 <address> <length> <both>
# Refuses 0::/16, which has ::, ::1 and mapped IPv4 addresses, and ff00::/8.
addresses_take_ipv6() {
	addresses_split "$1" || return
	((addresses_groups[0] != 0 && addresses_groups[0] < 0xff00 && $2 <= 128)) || return
	addresses_extend "$2"
	addresses_compress
	addresses_keep "$addresses_text" "$2" 128 "$addresses_least_ipv6" "$addresses_beyond" "$3" || return
	[[ $addresses_kept ]] || return 0
	((addresses_beyond == 0)) || addresses_extend 128
	addresses_ipv6+=("$addresses_kept")
	addresses_range
}

# addresses_keep <address> <length> <a host's length> <least length> <bits beyond it> <as written>
# Adds it to addresses_words unless it is there, and sets addresses_kept. Fails with its
# own expected if a prefix is too wide.
addresses_keep() {
	addresses_kept=$1
	if (($5)); then
		addresses_hosts+="${addresses_hosts:+ }$6"
	elif (($2 < $4)); then
		expected="a list of addresses that a guest can have ($6 is too wide; prefixes must be /$4 or longer)"
		return 1
	elif (($2 < $3)); then
		addresses_kept+=/$2
	fi
	if [[ " ${addresses_words[*]} " == *" $addresses_kept "* ]]; then
		addresses_kept=''
	else
		addresses_words+=("$addresses_kept")
	fi
}

# addresses_quad <IPv4 address or netmask>
# Sets addresses_value. Fails if it is none. A leading zero would mean octal to some
# programs.
addresses_quad() {
	local octet='(0|[1-9][0-9]{0,2})' part
	[[ $1 =~ ^$octet\.$octet\.$octet\.$octet$ ]] || return
	addresses_value=0
	for part in "${BASH_REMATCH[@]:1}"; do
		((part <= 255)) || return
		addresses_value=$((addresses_value << 8 | part))
	done
}

# addresses_netmask <netmask>
# Sets addresses_length. Fails if the mask has a 0 before a 1.
addresses_netmask() {
	local hosts
	addresses_quad "$1" || return
	hosts=$((addresses_value ^ 0xffffffff))
	(((hosts & hosts + 1) == 0)) || return
	for ((addresses_length = 32; hosts; hosts >>= 1)); do
		addresses_length=$((addresses_length - 1))
	done
}

# addresses_split <IPv6 address>
# Sets addresses_groups. Fails if it is no address. The last 32 bits may be written as
# an IPv4 address.
addresses_split() {
	local group='[[:xdigit:]]{1,4}' zeros=(0 0 0 0 0 0 0 0) half text=$1 left right count
	if [[ $1 == *:*.* ]]; then
		addresses_quad "${1##*:}" || return
		printf -v text '%s:%x:%x' "${1%:*}" $((addresses_value >> 16)) $((addresses_value & 0xffff))
	fi
	half="($group(:$group)*)?"
	[[ $text =~ ^$half(::$half)?$ ]] || return
	IFS=: read -ra left <<<"${BASH_REMATCH[1]}"
	IFS=: read -ra right <<<"${BASH_REMATCH[4]-}"
	count=$((${#left[@]} + ${#right[@]}))
	if [[ $text == *::* ]]; then
		((count < 8)) || return
	else
		((count == 8)) || return
	fi
	addresses_groups=("${left[@]/#/0x}" "${zeros[@]:count}" "${right[@]/#/0x}")
}

# addresses_compress
# Sets addresses_text to addresses_groups, which do not begin with 0. The first of the
# longest runs of zeros becomes :: (RFC 5952).
addresses_compress() {
	local run=:0:0:0:0:0:0:0
	printf -v addresses_text ':%x' "${addresses_groups[@]}"
	until [[ $run == :0 || $addresses_text == *"$run"* ]]; do
		run=${run%:0}
	done
	[[ $run == :0 ]] || addresses_text=${addresses_text/"$run"/:}
	addresses_text=${addresses_text#:}
	[[ $addresses_text != *: ]] || addresses_text+=:
}

# addresses_extend <length>
# Sets addresses_last and addresses_beyond.
addresses_extend() {
	local i free
	addresses_last=("${addresses_groups[@]}") addresses_beyond=0
	(($1 < 128)) || return 0
	for ((i = 0; i < 8; i++)); do
		free=$((16 * (i + 1) - $1))
		free=$(((1 << (free < 0 ? 0 : free > 16 ? 16 : free)) - 1))
		addresses_beyond=$((addresses_beyond | addresses_groups[i] & free))
		addresses_last[i]=$((addresses_groups[i] | free))
	done
}

# addresses_range
# Adds addresses_groups to addresses_last to addresses_ranges.
addresses_range() {
	local from to
	printf -v from '%04x' "${addresses_groups[@]}"
	printf -v to '%04x' "${addresses_last[@]}"
	[[ $from == "$to" ]] || from+=-0x$to
	addresses_ranges+=("0x$from")
}
