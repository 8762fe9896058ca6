# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The kinds of packets that a guest with ip= may send from its own addresses, as
# conditions of nftables rules that accept them, used by address_filter_rules.sh. Each
# is a list of what passes. A host that is no server, router or querier sends no
# others; hotplug.conf's serves= names the guests that may.

# Set by packet_rules_choose. The usual kinds are what most packets are:
packet_rules_usual_ipv4=()
packet_rules_usual_ipv6=()
packet_rules_other_ipv4=()
packet_rules_other_ipv6=() # without neighbour advertisements, which depend on the address

# packet_rules_choose <MAC address> <y if it may serve> [number of another IP protocol]...
packet_rules_choose() {
	local protocol
	if [[ $2 ]]; then
		packet_rules_server
		return
	fi
	packet_rules_host_ipv4 "$1"
	packet_rules_host_ipv6
	for protocol in "${@:3}"; do
		packet_rules_other_ipv4+=("meta l4proto $protocol")
		packet_rules_other_ipv6+=("meta l4proto $protocol")
	done
}

# packet_rules_server
# What a server or router may send: everything.
packet_rules_server() {
	packet_rules_usual_ipv4=('')
	packet_rules_other_ipv4=()
	packet_rules_usual_ipv6=('meta l4proto != ipv6-icmp')
	packet_rules_other_ipv6=('icmpv6 type != nd-neighbor-advert' 'meta l4proto ipv6-icmp frag frag-off != 0')
}

# packet_rules_host_ipv4 <MAC address>
# The ports of UDP are in the first fragment, and the types of ICMP and IGMP, too. To
# a DHCP server or relay, which is port 67, only requests pass (RFC 2131: op, the
# first byte, is 1) and only for the guest's own MAC address (chaddr, byte 28). ICMP:
# no redirects, router advertisements and address masks. IGMP: reports and leaves.
packet_rules_host_ipv4() {
	packet_rules_usual_ipv4=('meta l4proto tcp' 'udp dport != 67-68')
	packet_rules_other_ipv4=("udp dport 67 @th,64,8 1 @th,288,48 0x${1//:/}"
		'icmp type 0' 'icmp type 3' 'icmp type 8' 'icmp type 10-14'
		'igmp type 0x12' 'igmp type 0x16-0x17' 'igmp type 0x22'
		'ip frag-off & 0x1fff != 0 meta l4proto 17' 'ip frag-off & 0x1fff != 0 meta l4proto 1')
}

# packet_rules_host_ipv6
# nft sees the header behind hop-by-hop and destination options, routing and fragment
# headers, and nothing if a later fragment has one of these next; then no rule accepts.
# DHCPv6 (RFC 8415): of the messages to servers and relays, those of clients. ICMPv6:
# errors (1-4), echo (128, 129), multicast listener reports (131, 132, 143), router and
# neighbour solicitations (133, 135).
packet_rules_host_ipv6() {
	packet_rules_usual_ipv6=('meta l4proto tcp' 'udp dport != 546-547')
	packet_rules_other_ipv6=('udp dport 547 @th,64,8 1' 'udp dport 547 @th,64,8 3-6'
		'udp dport 547 @th,64,8 8-9' 'udp dport 547 @th,64,8 11'
		'icmpv6 type 1-4' 'icmpv6 type 128-129' 'icmpv6 type 131-133' 'icmpv6 type 135' 'icmpv6 type 143'
		'meta l4proto 17 frag frag-off != 0' 'meta l4proto 58 frag frag-off != 0')
}
