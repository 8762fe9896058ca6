# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An interface behind which the guest's addresses are: routes to them, an
# address of this host for the guest to talk to, and an answer from this host
# where somebody else's ARP or NDP asks for a guest's address. What is on the
# interface goes with it; the neighbour proxies are on the host's own.

# shellcheck source=interface.sh
resource_find interface
library journals

routed_gateway_default=eth0

# What routed_read finds on the host's interface:
main_ip=''        # its first IPv4 address, under the name that hooks know
routed_ipv6=''    # its first IPv6 address
routed_answer=' ' # the addresses that it answers for already, each between spaces

# routed_acquire <interface> <addresses> <the host's interface, or empty> <mtu, or empty> [host's addresses]
# Sets main_ip. Without addresses of the host's those of its interface are
# taken, and that answers for the guest.
routed_acquire() {
	local gateway='' lines='' addresses ipv4='' ipv6=''
	read -ra addresses <<<"$2"
	routed_proxies=()
	if [[ ${5-} ]]; then routed_given "$5"; else routed_found "$3"; fi
	interface_remember "$1"
	routed_proxy_on "$1"
	routed_lines "$1" "$4"
	run_aside "Cannot route ${2:-nothing} through $1" "$lines" '' ip -batch -
}

# routed_given <host's addresses>
# Sets the caller's ipv4 and ipv6.
routed_given() {
	local address given
	read -ra given <<<"$1"
	for address in "${given[@]}"; do
		if [[ $address == *:* ]]; then ipv6=$address; else ipv4=$address; fi
	done
	main_ip=$ipv4
}

# routed_found <the host's interface, or empty>
# Sets the caller's gateway, ipv4 and ipv6, and routed_proxies.
routed_found() {
	local claimed
	gateway=$1
	routed_gateway gateway
	routed_claims claimed proxies "$gateway"
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
# The interface's routes go when it is down, and its addresses are taken away.
# All at once; where a part of it is gone already, or goes meanwhile, each alone.
routed_release() {
	local gateway number proxies=() claimed='' lines='' down=''
	if interface_is_ours "$1"; then
		routed_set "ipv4/conf/$1/proxy_arp" 0 || :
		down="link set dev $1 down"$'\n'"address flush dev $1"$'\n'
	fi
	routed_unproxy
	[[ $lines$down ]] || return 0
	run_with "$lines$down" ip -batch - || routed_release_each "$1"
	routed_reproxy || ! routed_remains "$gateway" "$number"
}

# routed_release_each <interface>
# The caller's lines and down. Another device that goes may have deleted a proxy.
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
# The host's interface that is meant, or a sentence why there is none.
routed_gateway() {
	local shown
	quote shown "${!1}"
	[[ ! ${!1} || -e /sys/class/net/${!1} ]] ||
		fail "The interface $shown does not exist; correct gatewaydev= in the guest's configuration."
	[[ ${!1} || -e /sys/class/net/$routed_gateway_default ]] ||
		fail "This host has no $routed_gateway_default, and the guest's configuration does not name the interface whose address it is to have; add gatewaydev= to it."
	printf -v "$1" '%s' "${!1:-$routed_gateway_default}"
}

# routed_read <host's interface>
# Sets main_ip, routed_ipv6 and routed_answer.
routed_read() {
	local rest address
	# Of IPv6, those that are not primary are the temporary ones.
	run_beside "address show dev $1 scope global primary -tentative -deprecated
		neighbour show proxy dev $1
" ip -json -brief -batch - || fail "Cannot read the addresses of $1: $reason"
	rest=$output main_ip='' routed_ipv6='' routed_answer=' '
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
# Sets the caller's ipv4 and ipv6 to the addresses that the guest's interface
# gets, one of each family that the guest has, or says why there is none.
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
# Sets the caller's lines, from its addresses, to ip's: link, addresses, routes, proxies.
routed_lines() {
	local address from metric=2
	[[ $type_if != tap ]] || metric=1 # the emulated interface has the packets as long as it is there
	lines="link set dev $1 down${2:+ mtu $2}"$'\n'"address flush dev $1"$'\n'"link set dev $1 up"$'\n'
	lines+="${ipv4:+address add $ipv4/32 dev $1}"$'\n'"${ipv6:+address add $ipv6/128 dev $1 nodad}"$'\n'
	for address in "${addresses[@]}"; do
		from=$ipv4
		[[ $address != *:* ]] || from=$ipv6
		# Of two vifs with one address (a guest that restarts) the new one comes first.
		lines+="route prepend $address dev $1 src $from metric $metric"$'\n'
	done
	for address in "${routed_proxies[@]}"; do
		lines+="neighbour add proxy $address dev $gateway"$'\n'
	done
}

# routed_remember <host's interface>
# Sets routed_proxies to those of the caller's addresses that the host's
# interface is to answer for: hosts, but for those that the administrator made
# it answer for. Another device of ours may have the same.
routed_remember() {
	local address number
	for address in "${addresses[@]}"; do
		address=${address%/32} address=${address%/128}
		[[ $address == */* || $routed_answer == *" $address "* && $claimed != *" $address "* ]] ||
			routed_proxies+=("$address")
	done
	read -r number <"/sys/class/net/$1/ifindex"
	journal_remember gateway "$number $1" "proxies $number $1" "${routed_proxies[*]}" "needs $number $1" "${routed_proxies[*]}"
}

# routed_proxy_on <interface>
# What makes the kernel answer. Without entries proxy_ndp of the host's does
# nothing, and those of other guests need it: so it stays on.
routed_proxy_on() {
	routed_set "ipv4/conf/$1/proxy_arp" 1 || fail "Cannot switch on proxy ARP for $1: $reason"
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
# device of ours needs; and its gateway, number, proxies and claimed. Another one
# may come while they go: it has said so in its journal before it looked. Those
# of an interface that is gone are gone.
routed_unproxy() {
	local remembered address
	journal_recall gateway gateway
	journal_recall remembered "proxies $gateway"
	read -r number gateway <<<"$gateway"
	read -ra proxies <<<"$remembered"
	routed_remains "$gateway" "$number" || proxies=()
	((${#proxies[@]})) || return 0
	journal_leave "needs $number $gateway"
	routed_claims claimed needs "$gateway"
	for address in "${proxies[@]}"; do
		# To delete what is not there is an error, to add what is there is none.
		[[ $claimed == *" $address "* ]] ||
			lines+="neighbour add proxy $address dev $gateway"$'\n'"neighbour delete proxy $address dev $gateway"$'\n'
	done
}

# routed_remains <host's interface> <its index>
# Fails where it is gone, or is another one by now.
routed_remains() {
	local index
	read -r index 2>/dev/null <"/sys/class/net/$1/ifindex" && [[ $index == "$2" ]]
}

# routed_reproxy
# Of the caller's proxies those that were not claimed, and now are.
routed_reproxy() {
	local before=$claimed address lines=''
	((${#proxies[@]})) || return 0
	routed_claims claimed needs "$gateway"
	for address in "${proxies[@]}"; do
		[[ $before == *" $address "* || $claimed != *" $address "* ]] ||
			lines+="neighbour add proxy $address dev $gateway"$'\n'
	done
	[[ ! $lines ]] || run_with "$lines" ip -batch -
}

# routed_claims <out-var> proxies|needs <host's interface>
# The addresses that it answers for because of other devices, or those of them
# that are not just leaving, each between spaces.
routed_claims() {
	local -A others
	local number
	read -r number 2>/dev/null <"/sys/class/net/$3/ifindex" || number=none
	journal_others "$2 $number $3"
	printf -v "$1" '%s' " ${others[*]} "
}
