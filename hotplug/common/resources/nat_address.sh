# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The addresses of a masqueraded guest, and of this host on the guest's interface.
# Both are derived from the guest's numbers, as in Xen's vif-nat.

# shellcheck source=interface.sh
resource_find interface

# The guests' IPv6 network: unique local (RFC 4193). It is the same on every host,
# because it is masqueraded, like 10/8.
nat_address_network=fd58:656e:6e61

nat_address_routers='' # this host's addresses, one for each family that the guest has

nat_address_arguments='ADDRESSES'

# nat_address_acquire <addresses, or empty>
# Sets ip and nat_address_routers.
nat_address_acquire() {
	nat_address_find "$1"
}

# nat_address_expect <addresses, or empty>
nat_address_expect() {
	nat_address_find "$1"
}

# nat_address_release <addresses, or empty>
nat_address_release() {
	:
}

# nat_address_find <addresses, or empty>
# If the first of a family is a network, its first address is the guest's own, as with
# Xen's script.
nat_address_find() {
	ip=$1
	[[ $ip ]] || nat_address_derive
	library lib/addresses
	addresses_parse "$ip" || fail "The addresses are not $expected."
	nat_address_routers=''
	((${#addresses_ipv4[@]} == 0)) || nat_address_router_ipv4 "${addresses_ipv4[0]%/*}"
	((${#addresses_ipv6[@]} == 0)) || nat_address_router_ipv6 "${addresses_ipv6[0]%/*}"
}

# nat_address_derive
# Domain 258's interface 0 has 10.1.2.1 and, in the network above, 102::1.
nat_address_derive() {
	((devid < 126 && domid < 65536)) ||
		fail "No address can be derived for $device_id, as its number is too high; add ip= to the guest's configuration."
	printf -v ip '10.%d.%d.%d' $((domid / 256)) $((domid % 256)) $((devid + 1))
	! interface_has_ipv6 "$dev" "$mtu" || printf -v ip '%s %s:%x::%x' "$ip" "$nat_address_network" "$domid" $((devid + 1))
}

# nat_address_router_ipv4 <guest's address>
# 127 above the guest's, or below if that would exceed 255.
nat_address_router_ipv4() {
	local octet=${1##*.}
	nat_address_routers+="${1%.*}.$((octet < 128 ? octet + 127 : octet - 127)) "
}

# nat_address_router_ipv6 <guest's address>
# 128 above the guest's, or below.
nat_address_router_ipv6() {
	local address
	addresses_split "$1"
	printf -v address '%x:' "${addresses_groups[@]:0:7}"
	printf -v address '%s%x' "$address" $((addresses_groups[7] ^ 128))
	nat_address_routers+="$address "
}
