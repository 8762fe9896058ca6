# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The rules of nftables for what a guest may send, as resources/address_filter.sh
# has them read. A file of their own, which most attaches need not parse.

# address_filter_rules_make <interface> <MAC address> <addresses> [VLANs]
# Sets the caller's rules to what makes its chain where there is none, and
# instead to what replaces one. Where one value is enough there is no set.
address_filter_rules_make() {
	local policy=accept hook body
	body="ether saddr != $2 drop
arp saddr ether != $2 drop
"
	[[ ! $3 ]] || policy=drop
	[[ ! $3 ]] || address_filter_rules_addresses "${@:2}"
	hook="type filter hook ingress device \"$1\" priority -300; policy $policy;"
	address_filter_rules_new
	address_filter_rules_instead
}

# address_filter_rules_new
# Sets the caller's rules to what makes its chain, in one transaction that fails
# where there is one: the counter of its name, which counts nothing, would be
# made twice. nft ignores what is in a chain that is to be created.
address_filter_rules_new() {
	rules="add table $address_filter_table
create counter $address_filter_table $chain
add chain $address_filter_table $chain {
$hook
$body}
"
}

# address_filter_rules_instead
# Sets the caller's instead to what makes or replaces its chain. To delete a chain,
# or to write it inside of its table's braces, nft first reads all chains and
# sets of the kernel; so nothing of that is here.
address_filter_rules_instead() {
	instead="add table $address_filter_table
add counter $address_filter_table $chain
add chain $address_filter_table $chain { $hook }
flush chain $address_filter_table $chain
add chain $address_filter_table $chain {
$body}
"
}

# address_filter_rules_addresses <MAC address> <addresses> [VLANs]
# Adds to the caller's body. A family of which there is no address is closed;
# so is all that is neither IP nor ARP. Where the guest has VLANs, its port knows
# which tags pass: of a frame with one, "ether type" is the tag, and all other
# rules see what is inside it.
address_filter_rules_addresses() {
	local unknown='ether type != arp ether type != ip ether type != ip6'
	library addresses
	addresses_parse "$2" || fail "The addresses are not $expected."
	if [[ ${3-} ]]; then
		body+="$unknown ether type != 8021q drop"$'\n'
		address_filter_rules_usual 'meta protocol'
	else
		address_filter_rules_usual 'ether type'
		body+="$unknown drop"$'\n'
	fi
	((${#addresses_ipv4[@]} == 0)) || address_filter_rules_ipv4
	((${#addresses_ipv6[@]} == 0)) || address_filter_rules_ipv6 "$1"
}

# address_filter_rules_usual 'ether type'|'meta protocol'
# Adds to the caller's body what most of a guest's packets are, so that they
# meet few rules: those without a tag, or what is inside of one, too.
address_filter_rules_usual() {
	local own
	if ((${#addresses_ipv4[@]})); then
		address_filter_rules_set own "${addresses_ipv4[@]}"
		body+="$1 ip ip saddr $own accept"$'\n'
	fi
	if ((${#addresses_ipv6[@]})); then
		address_filter_rules_set own "${addresses_ipv6[@]}"
		body+="$1 ip6 ip6 saddr $own meta l4proto != ipv6-icmp accept"$'\n'
	fi
}

# address_filter_rules_ipv4
# Adds to the caller's body the rest of IPv4. A probe (RFC 5227) has no sender,
# and asks whether an address is free that the guest may have: for another, it
# would take it from somebody who is about to have that.
address_filter_rules_ipv4() {
	local own
	address_filter_rules_set own "${addresses_ipv4[@]}"
	body+="ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept
arp htype != 1 drop
arp ptype != ip drop
arp hlen != 6 drop
arp plen != 4 drop
arp operation != request arp operation != reply drop
arp saddr ip $own accept
arp operation request arp saddr ip 0.0.0.0 arp daddr ip $own accept
"
}

# address_filter_rules_ipv6 <MAC address>
# Adds to the caller's body the rest of IPv6. Its own is also the link-local
# address that is made of the MAC address: DHCPv6 and neighbour discovery need
# it. The targets of neighbour discovery (RFC 4861) are the 128 bits behind an
# ICMPv6 header's 64. A packet whose ICMPv6 header is not in its first fragment
# passes nowhere.
address_filter_rules_ipv6() {
	local own targets link_local link_local_target
	address_filter_rules_link_local "$1"
	address_filter_rules_set own "${addresses_ipv6[@]}"
	address_filter_rules_set targets "${addresses_ranges[@]}"
	body+="meta protocol != ip6 drop
ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 $link_local_target accept
ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 $targets accept
ip6 saddr :: icmpv6 type mld-listener-report accept
ip6 saddr :: icmpv6 type mld2-listener-report accept
ip6 saddr != $link_local ip6 saddr != $own drop
meta l4proto != ipv6-icmp accept
icmpv6 type nd-neighbor-advert @th,64,128 $link_local_target accept
icmpv6 type nd-neighbor-advert @th,64,128 $targets accept
icmpv6 type != nd-neighbor-advert icmpv6 type != nd-router-advert icmpv6 type != nd-redirect accept
frag frag-off != 0 accept
"
}

# address_filter_rules_link_local <MAC address>
# Sets the caller's link_local to the address of RFC 4291, appendix A, and
# link_local_target to its number.
address_filter_rules_link_local() {
	local bytes groups
	IFS=: read -ra bytes <<<"$1"
	groups=($(((16#${bytes[0]} ^ 2) << 8 | 16#${bytes[1]})) $((16#${bytes[2]} << 8 | 0xff))
		$((0xfe00 | 16#${bytes[3]})) $((16#${bytes[4]} << 8 | 16#${bytes[5]})))
	printf -v link_local 'fe80::%x:%x:%x:%x' "${groups[@]}"
	printf -v link_local_target '0xfe80000000000000%04x%04x%04x%04x' "${groups[@]}"
}

# address_filter_rules_set <out-var> <element>...
# As nft writes a set that has no name, or the only element.
address_filter_rules_set() {
	local elements
	printf -v elements '%s, ' "${@:2}"
	elements=${elements%, }
	(($# == 2)) || elements="{ $elements }"
	printf -v "$1" '%s' "$elements"
}
