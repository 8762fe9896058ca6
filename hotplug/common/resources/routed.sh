# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Routes to the guest's addresses, a gateway address of this host on the guest's
# interface, and proxy ARP and NDP for the guest's addresses. The routes and the
# address go with the guest's interface; the neighbour proxies are on the host's.

# shellcheck source=interface.sh
resource_find interface
library journal-read

routed_gateway_default=eth0

# Set by routed_read, from the host's interface:
main_ip=''        # its first IPv4 address; hooks get it under this name
routed_ipv6=''    # its first IPv6 address
routed_answer=' ' # the addresses that it is a proxy for already, each between spaces

# routed_acquire <interface> <addresses> <the host's interface, or empty> <mtu, or empty> [host's addresses]
# Sets main_ip. Without the host's addresses, uses those of the host's interface,
# which becomes a proxy for the guest.
routed_acquire() {
	local gateway='' lines='' addresses ipv4='' ipv6=''
	interface_takes_mtu "$1" "$4"
	read -ra addresses <<<"$2"
	routed_proxies=()
	if [[ ${5-} ]]; then routed_given "$5"; else routed_found "$3"; fi
	interface_remember "$1"
	routed_proxy_on "$1"
	routed_lines "$1" "$4"
	run_with "$lines" ip -batch - || fail "Cannot route ${2:-nothing} through $1: $reason"
	[[ ! $gateway ]] || unlock "proxies $gateway"
}

# routed_given <host's addresses>
# Sets ipv4 and ipv6 (declared by the caller).
routed_given() {
	local address given
	read -ra given <<<"$1"
	for address in "${given[@]}"; do
		if [[ $address == *:* ]]; then ipv6=$address; else ipv4=$address; fi
	done
	main_ip=$ipv4
}

# routed_found <the host's interface, or empty>
# Sets gateway, ipv4 and ipv6 (declared by the caller), and routed_proxies.
routed_found() {
	local claimed
	gateway=$1
	routed_gateway gateway
	lock "proxies $gateway" || fail "$reason"
	routed_claims claimed "$gateway"
	routed_read "$gateway"
	routed_require "$gateway"
	routed_remember "$gateway"
}

# routed_plan <interface> <addresses> <the host's interface> <mtu> [host's addresses]
routed_plan() {
	local gateway=$3
	[[ ${5-} ]] || routed_gateway gateway
}

# routed_release <interface> <addresses> <the host's interface> <mtu>
# Sets the interface down, which removes its routes, and removes its addresses and
# the proxies, in one batch. If a part is gone already, or goes at the same time,
# does each separately.
routed_release() {
	local gateway number proxies=() claimed='' lines='' down=''
	if interface_is_ours "$1"; then
		routed_set "ipv4/conf/$1/proxy_arp" 0 || :
		down="link set dev $1 down"$'\n'"address flush dev $1"$'\n'
	fi
	routed_unproxy || return
	[[ ! $lines$down ]] || run_with "$lines$down" ip -batch - || routed_release_each "$1"
	((${#proxies[@]})) || return 0
	journal_drop "needs $number $gateway"
	unlock "proxies $gateway"
}

# routed_release_each <interface>
# Executes lines and down (declared by the caller) separately. Another device's
# detach may have deleted a proxy.
routed_release_each() {
	[[ ! $lines ]] || run_with "$lines" ip -batch - || ! routed_remains "$gateway" "$number" || complain "$reason"
	[[ ! $down ]] || run_with "$down" ip -batch - || ! interface_is_ours "$1" || complain "$reason"
}

# routed_check <interface> <addresses> <the host's interface> <mtu>
routed_check() {
	local flags=0
	read -r flags 2>/dev/null <"/sys/class/net/$1/flags" || :
	((flags & 1)) || reason="$1 is gone or down, and with it the routes to the guest."
	[[ ! $reason ]]
}

# routed_gateway <in-out-var>
# Resolves the host's interface; fails if it does not exist.
routed_gateway() {
	local shown
	quote shown "${!1}"
	[[ ! ${!1} || -e /sys/class/net/${!1} ]] ||
		fail "The interface $shown does not exist; correct gatewaydev= in the guest's configuration."
	[[ ${!1} || -e /sys/class/net/$routed_gateway_default ]] ||
		fail "This host has no $routed_gateway_default; set gatewaydev= in the guest's configuration to the interface whose address is the guest's gateway."
	printf -v "$1" '%s' "${!1:-$routed_gateway_default}"
}

# routed_read <host's interface>
# Sets main_ip, routed_ipv6 and routed_answer.
routed_read() {
	local rest address
	# Of IPv6, those that are not primary are the temporary ones.
	run_with "address show dev $1 scope global primary -tentative -deprecated
		neighbour show proxy dev $1
" ip -json -brief -batch - || fail "Cannot read the addresses of $1: $reason"
	rest=$run_output main_ip='' routed_ipv6='' routed_answer=' '
	while [[ $rest =~ '"local":"'([^\"]*)'"'(.*) ]]; do
		address=${BASH_REMATCH[1]} rest=${BASH_REMATCH[2]}
		if [[ $address == *:* ]]; then routed_ipv6=${routed_ipv6:-$address}; else main_ip=${main_ip:-$address}; fi
	done
	while [[ $rest =~ '"dst":"'([^\"]*)'"'(.*) ]]; do
		rest=${BASH_REMATCH[2]}
		routed_answer+="${BASH_REMATCH[1]} "
	done
}

# routed_require <host's interface>
# Sets ipv4 and ipv6 (declared by the caller) to the addresses that the guest's
# interface gets, one for each family of the guest's. Fails if there is none.
routed_require() {
	local address
	((${#addresses[@]})) || ipv4=$main_ip
	for address in "${addresses[@]}"; do
		if [[ $address == *:* ]]; then
			ipv6=$routed_ipv6
			[[ $ipv6 ]] || routed_lacks "$1" IPv6 "$address"
		else
			ipv4=$main_ip
			[[ $ipv4 ]] || routed_lacks "$1" IPv4 "$address"
		fi
	done
}

# routed_lacks <host's interface> IPv4|IPv6 <guest's address>
routed_lacks() {
	fail "The interface $1 has no $2 address, which the guest's $3 needs; give it one, or name another interface with gatewaydev=."
}

# routed_lines <interface> <mtu>
# Sets lines to a batch for ip: link, addresses, routes, proxies. Reads addresses,
# ipv4, ipv6 and gateway (all declared by the caller).
routed_lines() {
	local address from metric=2
	[[ $type_if != tap ]] || metric=1 # the emulated interface is preferred while it exists
	lines="link set dev $1 down${2:+ mtu $2}"$'\n'"address flush dev $1"$'\n'"link set dev $1 up"$'\n'
	lines+="${ipv4:+address add $ipv4/32 dev $1}"$'\n'"${ipv6:+address add $ipv6/128 dev $1 nodad}"$'\n'
	for address in "${addresses[@]}"; do
		from=$ipv4
		[[ $address != *:* ]] || from=$ipv6
		# If two vifs have the same address (a guest that restarts), prefer the new one.
		lines+="route prepend $address dev $1 src $from metric $metric"$'\n'
	done
	for address in "${routed_proxies[@]}"; do
		lines+="neighbour add proxy $address dev $gateway"$'\n'
	done
}

# routed_remember <host's interface>
# Sets routed_proxies to those of addresses (declared by the caller) that need a
# proxy: hosts, except those that the administrator has added a proxy for. Another
# device of ours may need the same one.
routed_remember() {
	local address number
	for address in "${addresses[@]}"; do
		address=${address%/32} address=${address%/128}
		[[ $address == */* || $routed_answer == *" $address "* && $claimed != *" $address "* ]] ||
			routed_proxies+=("$address")
	done
	read -r number 2>/dev/null <"/sys/class/net/$1/ifindex" ||
		fail "The interface $1 of this host vanished during the attach of $device_id; create it again, or correct gatewaydev= in the guest's configuration."
	journal_remember gateway "$number $1" "proxies $number $1" "${routed_proxies[*]}" "needs $number $1" "${routed_proxies[*]}"
}

# routed_proxy_on <interface>
# Makes the kernel answer. proxy_ndp of the host's interface is never switched off,
# because other guests need it, and without entries it does nothing.
routed_proxy_on() {
	routed_set "ipv4/conf/$1/proxy_arp" 1 || {
		[[ -e /sys/class/net/$1 ]] || interface_vanished "$1"
		fail "Cannot switch on proxy ARP for $1: $reason"
	}
	[[ ! $ipv6 || ! $gateway ]] || routed_set "ipv6/conf/$gateway/proxy_ndp" 1 ||
		fail "Cannot switch on proxy NDP for $gateway: $reason"
}

# routed_set <setting below /proc/sys/net> <value>
routed_set() {
	reason="/proc/sys/net/$1 cannot be written."
	printf '%s\n' "$2" 2>/dev/null >"/proc/sys/net/$1"
}

# routed_unproxy
# Sets the caller's lines to what removes the proxies, but for those that another
# device of ours needs; and its gateway, number, proxies and claimed. Those of an
# interface that is gone are gone. Takes their lock where there are any.
routed_unproxy() {
	local remembered address
	journal_recall gateway gateway
	journal_recall remembered "proxies $gateway"
	read -r number gateway <<<"$gateway"
	read -ra proxies <<<"$remembered"
	routed_remains "$gateway" "$number" || proxies=()
	((${#proxies[@]})) || return 0
	lock "proxies $gateway" || return
	routed_claims claimed "$gateway"
	for address in "${proxies[@]}"; do
		# Adding an existing entry is no error, but deleting a missing one is.
		[[ $claimed == *" $address "* ]] ||
			lines+="neighbour add proxy $address dev $gateway"$'\n'"neighbour delete proxy $address dev $gateway"$'\n'
	done
}

# routed_remains <host's interface> <its index>
# Is it still the same interface?
routed_remains() {
	local index
	read -r index 2>/dev/null <"/sys/class/net/$1/ifindex" && [[ $index == "$2" ]]
}

# routed_claims <out-var> <host's interface>
# The addresses that it answers for because of other devices, each between spaces.
routed_claims() {
	local number
	read -r number 2>/dev/null <"/sys/class/net/$2/ifindex" || number=none
	journal_others "needs $number $2"
	printf -v "$1" '%s' " ${journal_theirs[*]} "
}
