# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The nftables rules for what a guest may send, used by resources/address_filter.sh.
# They are in a file of their own, because most attaches do not need to parse it.

# address_filter_rules_make <interface> <MAC address> <addresses> [VLANs]
# Sets rules to what creates the guest's chain, and instead to what replaces an
# existing one (both declared by the caller). A single value needs no set.
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
# Sets rules (declared by the caller) to one transaction that creates the chain,
# and that fails if it exists. A counter of the same name, which counts nothing,
# makes it fail, because nft ignores the rules within `create chain`.
address_filter_rules_new() {
	rules="add table $address_filter_table
create counter $address_filter_table $chain
add chain $address_filter_table $chain {
$hook
$body}
"
}

# address_filter_rules_instead
# Sets instead (declared by the caller) to what creates or replaces the chain. It
# neither deletes a chain nor writes one within the table's braces, because nft
# would first read all chains and sets from the kernel.
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
# Adds to body (declared by the caller). A family without an address is blocked,
# and so is everything but IP and ARP. If the guest has VLANs, its bridge port
# decides which tags pass; in a tagged frame "ether type" is the tag, and all
# other rules match the packet inside.
address_filter_rules_addresses() {
	local unknown='ether type != arp ether type != ip ether type != ip6'
	library lib/addresses
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
# Adds to body (declared by the caller) the rules for most packets, which then
# traverse few rules. With 'ether type' these are untagged frames only, with
# 'meta protocol' tagged ones as well.
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
# Adds to body (declared by the caller) the rest of IPv4. An ARP probe (RFC 5227)
# has no sender and asks whether an address is free. It passes for the guest's own
# addresses only: another host that is about to use an address would give it up.
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
# Adds to body (declared by the caller) the rest of IPv6. The guest may also use the
# link-local address derived from its MAC address, because DHCPv6 and neighbour
# discovery need it. The target of neighbour discovery (RFC 4861) is the 128 bits
# after the first 64 of the ICMPv6 message. A packet whose ICMPv6 header is not in
# its first fragment is dropped.
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
# Sets link_local to the address of RFC 4291, appendix A, and link_local_target
# to the same as a number (both declared by the caller).
address_filter_rules_link_local() {
	local bytes groups
	IFS=: read -ra bytes <<<"$1"
	groups=($(((16#${bytes[0]} ^ 2) << 8 | 16#${bytes[1]})) $((16#${bytes[2]} << 8 | 0xff))
		$((0xfe00 | 16#${bytes[3]})) $((16#${bytes[4]} << 8 | 16#${bytes[5]})))
	printf -v link_local 'fe80::%x:%x:%x:%x' "${groups[@]}"
	printf -v link_local_target '0xfe80000000000000%04x%04x%04x%04x' "${groups[@]}"
}

# address_filter_rules_set <out-var> <element>...
# An anonymous set in nft's syntax, or the only element.
address_filter_rules_set() {
	local elements
	printf -v elements '%s, ' "${@:2}"
	elements=${elements%, }
	(($# == 2)) || elements="{ $elements }"
	printf -v "$1" '%s' "$elements"
}
