# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The nftables rules for what a guest may send, used by resources/address_filter.sh.
# They are in a file of their own, because most attaches do not need to parse it.

# Set by address_filter_rules_make, each one transaction for nft:
address_filter_rules_create=''  # creates the guest's chain, and fails if it exists
address_filter_rules_replace='' # creates or replaces it

address_filter_rules_count=0 # the number of rules in it

address_filter_rules_body=''      # the rules in the chain, built up by the functions below
address_filter_rules_own_link=''  # set by address_filter_rules_link_local: the guest's link-local address
address_filter_rules_own_value='' # the same as a number
address_filter_rules_elements=''  # set by address_filter_rules_set

# address_filter_rules_make <chain> <interface> <MAC address> <addresses> <VLANs, or empty>
# Reads what address_filter_acquire has decided: address_filter_serves and
# address_filter_protocols.
address_filter_rules_make() {
	local policy=accept hook lines
	address_filter_rules_body="ether saddr != $3 drop
arp saddr ether != $3 drop
"
	[[ ! $4 ]] || policy=drop
	[[ ! $4 ]] || address_filter_rules_addresses "${@:3}"
	mapfile -t lines <<<"${address_filter_rules_body%$'\n'}"
	address_filter_rules_count=${#lines[@]}
	hook="type filter hook ingress device \"$2\" priority -300; policy $policy;"
	address_filter_rules_new "$1" "$hook"
	address_filter_rules_instead "$1" "$hook"
}

# address_filter_rules_new <chain> <its hook>
# Sets address_filter_rules_create. A counter of the same name, which counts nothing,
# makes it fail if the chain exists, because nft ignores the rules within `create chain`.
address_filter_rules_new() {
	address_filter_rules_create="add table $address_filter_table
create counter $address_filter_table $1
add chain $address_filter_table $1 {
$2
$address_filter_rules_body}
"
}

# address_filter_rules_instead <chain> <its hook>
# Sets address_filter_rules_replace, which neither deletes a chain nor writes one
# within the table's braces, because nft would first read all chains and sets from
# the kernel.
address_filter_rules_instead() {
	address_filter_rules_replace="add table $address_filter_table
add counter $address_filter_table $1
add chain $address_filter_table $1 { $2 }
flush chain $address_filter_table $1
add chain $address_filter_table $1 {
$address_filter_rules_body}
"
}

# address_filter_rules_addresses <MAC address> <addresses> [VLANs]
# Adds to address_filter_rules_body. A family without an address is blocked, and so is
# everything but IP and ARP. If the guest has VLANs, its bridge port decides which
# tags pass; in a tagged frame "ether type" is the tag, and all other rules match
# the packet inside.
address_filter_rules_addresses() {
	local unknown='ether type != arp ether type != ip ether type != ip6'
	library lib/addresses
	library lib/packet_rules
	addresses_parse "$2" || fail "The addresses are not $expected."
	packet_rules_choose "$1" "$address_filter_serves" "${address_filter_protocols[@]}"
	if [[ ${3-} ]]; then
		address_filter_rules_body+="$unknown ether type != 8021q drop"$'\n'
		address_filter_rules_usual 'meta protocol'
	else
		address_filter_rules_usual 'ether type'
		address_filter_rules_body+="$unknown drop"$'\n'
	fi
	((${#addresses_ipv4[@]} == 0)) || address_filter_rules_ipv4 "$1"
	((${#addresses_ipv6[@]} == 0)) || address_filter_rules_ipv6 "$1"
}

# address_filter_rules_usual 'ether type'|'meta protocol'
# Adds the rules for most packets, which then traverse few rules. With 'ether type'
# these are untagged frames only, with 'meta protocol' tagged ones as well.
address_filter_rules_usual() {
	if ((${#addresses_ipv4[@]})); then
		address_filter_rules_set "${addresses_ipv4[@]}"
		address_filter_rules_accept "$1 ip ip saddr $address_filter_rules_elements" "${packet_rules_usual_ipv4[@]}"
	fi
	if ((${#addresses_ipv6[@]})); then
		address_filter_rules_set "${addresses_ipv6[@]}"
		address_filter_rules_accept "$1 ip6 ip6 saddr $address_filter_rules_elements" "${packet_rules_usual_ipv6[@]}"
	fi
}

# address_filter_rules_accept <condition> [another condition]...
# Adds a rule for each of the others, which must hold together with the first.
address_filter_rules_accept() {
	local other
	for other in "${@:2}"; do
		address_filter_rules_body+="$1 $other accept"$'\n'
	done
}

# address_filter_rules_ipv4 <MAC address>
# Adds the rest of IPv4. A DHCP client without an address sends its MAC address as
# chaddr, from byte 28 of the message. An ARP probe (RFC 5227)
# has no sender and asks whether an address is free. It passes for the guest's own
# addresses only: another host that is about to use an address would give it up.
address_filter_rules_ipv4() {
	address_filter_rules_set "${addresses_ipv4[@]}"
	address_filter_rules_body+="ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 @th,64,8 1 @th,288,48 0x${1//:/} accept
arp htype != 1 drop
arp ptype != ip drop
arp hlen != 6 drop
arp plen != 4 drop
arp operation != request arp operation != reply drop
arp saddr ip $address_filter_rules_elements accept
arp operation request arp saddr ip 0.0.0.0 arp daddr ip $address_filter_rules_elements accept
ip saddr != $address_filter_rules_elements drop
"
	address_filter_rules_accept 'meta protocol ip' "${packet_rules_other_ipv4[@]}"
}

# address_filter_rules_ipv6 <MAC address>
# Adds the rest of IPv6. The guest may also use the
# link-local address derived from its MAC address, because DHCPv6 and neighbour
# discovery need it. The target of neighbour discovery (RFC 4861) is the 128 bits
# after the first 64 of the ICMPv6 message. A packet whose ICMPv6 header is not in
# its first fragment is dropped.
address_filter_rules_ipv6() {
	local own targets
	address_filter_rules_link_local "$1"
	address_filter_rules_set "${addresses_ipv6[@]}"
	own=$address_filter_rules_elements
	address_filter_rules_set "${addresses_ranges[@]}"
	targets=$address_filter_rules_elements
	address_filter_rules_body+="meta protocol != ip6 drop
ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 $address_filter_rules_own_value accept
ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 $targets accept
ip6 saddr :: icmpv6 type mld-listener-report accept
ip6 saddr :: icmpv6 type mld2-listener-report accept
ip6 saddr != $address_filter_rules_own_link ip6 saddr != $own drop
icmpv6 type nd-neighbor-advert @th,64,128 $address_filter_rules_own_value accept
icmpv6 type nd-neighbor-advert @th,64,128 $targets accept
"
	address_filter_rules_accept 'meta protocol ip6' "${packet_rules_usual_ipv6[@]}" "${packet_rules_other_ipv6[@]}"
}

# address_filter_rules_link_local <MAC address>
# Sets address_filter_rules_own_link and address_filter_rules_own_value, by RFC 4291,
# appendix A.
address_filter_rules_link_local() {
	local bytes groups
	IFS=: read -ra bytes <<<"$1"
	groups=($(((16#${bytes[0]} ^ 2) << 8 | 16#${bytes[1]})) $((16#${bytes[2]} << 8 | 0xff))
		$((0xfe00 | 16#${bytes[3]})) $((16#${bytes[4]} << 8 | 16#${bytes[5]})))
	printf -v address_filter_rules_own_link 'fe80::%x:%x:%x:%x' "${groups[@]}"
	printf -v address_filter_rules_own_value '0xfe80000000000000%04x%04x%04x%04x' "${groups[@]}"
}

# address_filter_rules_set <element>...
# Sets address_filter_rules_elements to an anonymous set in nft's syntax, or to the
# only element.
address_filter_rules_set() {
	local elements
	printf -v elements '%s, ' "$@"
	elements=${elements%, }
	(($# == 1)) || elements="{ $elements }"
	address_filter_rules_elements=$elements
}
