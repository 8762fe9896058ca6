# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a guest may send: from its own MAC address, and from the addresses of its
# ip= alone. The rules stand where the kernel receives what the guest sends,
# before it knows of a bridge, of Open vSwitch or of a route. Each interface has
# a chain of its own, so that a packet meets no other guest's rules.
# docs/network.md says what passes.

# shellcheck source=interface.sh
resource_find interface
# shellcheck source=../config.sh
. "$hotplug_common/config.sh"

# The table is ours alone. It stays, empty, when the last chain has gone: who
# deleted it could not know that nobody adds one meanwhile.
address_filter_table='netdev xen_hotplug'

# address_filter_acquire <interface> <MAC address> <addresses, or empty for all>
# Without addresses there is a filter only where the host binds MAC addresses.
address_filter_acquire() {
	local rules chain=vif$domid.$devid
	address_filter_wanted "$@" || return 0
	address_filter_possible "$@"
	[[ $type_if != tap ]] || chain+=-emu
	address_filter_rules "$@"
	journal_remember chain "$chain"
	run_with "$rules" nft -f - || fail "Cannot filter what the guest sends on $1 (${3:-$2}): $reason"
}

# address_filter_plan <interface> <MAC address> <addresses>
address_filter_plan() {
	! address_filter_wanted "$@" || address_filter_possible "$@"
}

# address_filter_release <interface> <MAC address> <addresses>
# The chain is named after the guest's number, which no other guest has, and may
# be gone: older kernels remove it with the interface.
address_filter_release() {
	local chain rules
	journal_recall chain chain
	[[ $chain ]] || return 0
	address_filter_rules_without
	run_with "$rules" nft -f -
}

# address_filter_check <interface> <MAC address> <addresses>
address_filter_check() {
	local chain
	journal_recall chain chain
	[[ ! $chain ]] || run nft list chain "${address_filter_table% *}" "${address_filter_table#* }" "$chain"
}

# address_filter_wanted <interface> <MAC address> <addresses>
address_filter_wanted() {
	local firewall bind
	config_get bind bind_mac
	[[ $3 || $bind == y ]] || return
	config_get firewall firewall
	[[ $firewall == none ]] || return 0
	[[ ! $3 ]] || address_filter_tell "Everything that the guest sends on $1 passes, although it has ip=, since $hotplug_config says firewall = none."
	return 1
}

# address_filter_tell <sentence>
# Tells the log and the person: who wrote ip= may rely on it.
address_filter_tell() {
	printf '%s\n' "$1" >&2
	helper fail '' "$1" || :
}

# address_filter_possible <interface> <MAC address> <addresses>
# Fails where there can be no filter.
address_filter_possible() {
	interface_is_plain "$1"
	[[ $2 ]] ||
		fail "What the guest sends on $1 cannot be filtered, as the node $XENBUS_PATH/mac is missing; attach the interface again."
	type -P nft >/dev/null ||
		fail "What the guest sends on $1 cannot be filtered (${3:-$2}), as there is no command nft; install the package nftables, or write firewall = none into $hotplug_config, and nothing is."
}

# address_filter_rules_without
# Sets the caller's rules to what removes its chain, whether it is there or not.
address_filter_rules_without() {
	rules="add table $address_filter_table
add chain $address_filter_table $chain
delete chain $address_filter_table $chain
"
}

# address_filter_rules <interface> <MAC address> <addresses>
# Sets the caller's rules to what replaces its chain, in one transaction.
address_filter_rules() {
	local policy=accept body="ether saddr != $2 drop
arp saddr ether != $2 drop
"
	[[ ! $3 ]] || policy=drop
	[[ ! $3 ]] || address_filter_addresses "$2" "$3"
	address_filter_rules_without
	rules+="table $address_filter_table {
chain $chain {
type filter hook ingress device \"$1\" priority -300; policy $policy;
$body}
}
"
}

# address_filter_addresses <MAC address> <addresses>
# Adds to the caller's body. A family of which there is no address is closed;
# so are frames with a VLAN's tag, and all that is neither IP nor ARP.
address_filter_addresses() {
	# shellcheck source=../addresses.sh
	. "$hotplug_common/addresses.sh"
	addresses_parse "$2" || fail "The addresses are not $expected."
	body+='ether type != { arp, ip, ip6 } drop
'
	((${#addresses_ipv4[@]} == 0)) || address_filter_ipv4
	((${#addresses_ipv6[@]} == 0)) || address_filter_ipv6 "$1"
}

# address_filter_ipv4
# Adds to the caller's body. A probe (RFC 5227) has no sender, and asks whether
# an address is free that the guest may have: for another, it would take it
# from somebody who is about to have that.
address_filter_ipv4() {
	local own
	address_filter_set own "${addresses_ipv4[@]}"
	body+="ip saddr $own accept
ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept
arp htype != 1 drop
arp ptype != ip drop
arp hlen != 6 drop
arp plen != 4 drop
arp operation { request, reply } arp saddr ip $own accept
arp operation request arp saddr ip 0.0.0.0 arp daddr ip $own accept
"
}

# address_filter_ipv6 <MAC address>
# Adds to the caller's body. Own is also the link-local address that is made of
# the MAC address: DHCPv6 and neighbour discovery need it. The targets of
# neighbour discovery (RFC 4861) are the 128 bits behind an ICMPv6 header's 64. A
# packet whose ICMPv6 header is not in its first fragment passes nowhere.
address_filter_ipv6() {
	local own targets
	address_filter_link_local "$1"
	address_filter_set own "${addresses_ipv6[@]}"
	address_filter_set targets "${addresses_ranges[@]}"
	body+="ether type != ip6 drop
ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 $targets accept
ip6 saddr :: icmpv6 type { mld-listener-report, mld2-listener-report } accept
ip6 saddr != $own drop
meta l4proto != ipv6-icmp accept
icmpv6 type nd-neighbor-advert @th,64,128 $targets accept
icmpv6 type != { nd-neighbor-advert, nd-router-advert, nd-redirect } accept
frag frag-off != 0 accept
"
}

# address_filter_link_local <MAC address>
# Adds the address of RFC 4291, appendix A, to the own ones.
address_filter_link_local() {
	local bytes address
	IFS=: read -ra bytes <<<"$1"
	printf -v address 'fe80::%x:%x:%x:%x' \
		$(((16#${bytes[0]} ^ 2) << 8 | 16#${bytes[1]})) $((16#${bytes[2]} << 8 | 0xff)) \
		$((0xfe00 | 16#${bytes[3]})) $((16#${bytes[4]} << 8 | 16#${bytes[5]}))
	addresses_take "$address"
}

# address_filter_set <out-var> <element>...
# As nft writes a set that has no name.
address_filter_set() {
	local elements
	printf -v elements '%s, ' "${@:2}"
	printf -v "$1" '{ %s }' "${elements%, }"
}
