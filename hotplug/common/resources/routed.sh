# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Routes to the guest's addresses, a gateway address of this host on the guest's
# interface, and proxy ARP and NDP for the guest's addresses. The routes and the
# address go with the guest's interface; the neighbour proxies are on the host's.

# shellcheck source=interface.sh
resource_find interface
library journal-read

# Seconds for an address that is about to come: by DHCP, or tentative, which takes 1 to 2
# (RFC 4862).
routed_patience=3

routed_gateway_default=eth0

routed_gateway='' # the host's interface; empty if the host's addresses are given
routed_lacking=() # set by routed_suffices: the families without an address, ipv4 and ipv6
routed_index=''   # set by routed_unproxy: its index when the device was attached

# Set by routed_read, from the host's interface:
routed_host_ipv4='' # its first IPv4 address
routed_host_ipv6='' # its first IPv6 address
routed_answer=' '   # the addresses that it is a proxy for already, each between spaces

# The addresses of this host that the guest's interface gets, or empty:
routed_ipv4=''
routed_ipv6=''

routed_claimed=' ' # set by routed_claim: the addresses that other devices need a proxy for, each between spaces
routed_proxies=()  # those that this device needs one for
routed_lines=''    # a batch for ip, set by routed_compose and routed_unproxy

routed_arguments='INTERFACE ADDRESSES HOST-INTERFACE MTU'

# routed_acquire <interface> <addresses> <the host's interface, or empty> <mtu, or empty> [host's addresses]
# Sets main_ip. Without the host's addresses, uses those of the host's interface,
# which becomes a proxy for the guest.
routed_acquire() {
	local addresses
	interface_takes_mtu "$1" "$4"
	read -ra addresses <<<"$2"
	routed_gateway='' routed_ipv4='' routed_ipv6='' routed_proxies=()
	if [[ ${5-} ]]; then routed_given "$5"; else routed_found "$3" "${addresses[@]}"; fi
	[[ ! $routed_ipv6 ]] || interface_has_ipv6 "$1" "$4" ||
		fail "$1 cannot have the IPv6 addresses of ip=, because IPv6 is switched off (disable_ipv6) or its MTU is below 1280; correct that, or remove these addresses."
	main_ip=$routed_host_ipv4
	interface_remember "$1"
	routed_proxy_on "$1"
	routed_compose "$1" "$4" "${addresses[@]}"
	run_with "$routed_lines" ip -batch - || fail "Cannot route ${2:-nothing} through $1: $reason"
	[[ ! $routed_gateway ]] || unlock "proxies $routed_gateway"
}

# routed_given <host's addresses>
# Sets routed_ipv4 and routed_ipv6.
routed_given() {
	local address given
	read -ra given <<<"$1"
	for address in "${given[@]}"; do
		if [[ $address == *:* ]]; then routed_ipv6=$address; else routed_ipv4=$address; fi
	done
	routed_host_ipv4=$routed_ipv4
}

# routed_found <the host's interface, or empty> [guest's address]...
# Sets routed_gateway, routed_ipv4, routed_ipv6 and routed_proxies.
routed_found() {
	routed_resolve "$1"
	routed_look "$routed_gateway"
	routed_suffices "${@:2}" || routed_look_later "$routed_gateway"
	routed_require "$routed_gateway" "${@:2}"
	routed_remember "$routed_gateway" "${@:2}"
}

# routed_plan <interface> <addresses> <the host's interface> <mtu> [host's addresses]
routed_plan() {
	[[ ${5-} ]] || routed_resolve "$3"
}

# routed_release <interface> <addresses> <the host's interface> <mtu>
# Sets the interface down, which removes its routes, and removes its addresses and
# the proxies, in one batch. If a part is gone already, or goes at the same time,
# does each separately.
routed_release() {
	local down=''
	if interface_is_ours "$1"; then
		routed_set "ipv4/conf/$1/proxy_arp" 0 || :
		down="link set dev $1 down"$'\n'"address flush dev $1"$'\n'
	fi
	routed_unproxy || return
	[[ ! $routed_lines$down ]] || run_with "$routed_lines$down" ip -batch - || routed_release_each "$1" "$down"
	((${#routed_proxies[@]})) || return 0
	journal_drop "needs $routed_index $routed_gateway"
	unlock "proxies $routed_gateway"
}

# routed_release_each <interface> <batch that sets it down, or empty>
# Executes routed_lines and the batch separately. Another device's detach may have
# deleted a proxy.
routed_release_each() {
	[[ ! $routed_lines ]] || run_with "$routed_lines" ip -batch - ||
		! routed_remains "$routed_gateway" "$routed_index" || complain "$reason"
	[[ ! $2 ]] || run_with "$2" ip -batch - || ! interface_is_ours "$1" || complain "$reason"
}

# routed_check <interface> <addresses> <the host's interface> <mtu>
routed_check() {
	local flags=0
	read -r flags 2>/dev/null <"/sys/class/net/$1/flags" || :
	((flags & 1)) || reason="$1 is gone or down, and with it the routes to the guest."
	[[ ! $reason ]]
}

# routed_resolve <the host's interface, or empty>
# Sets routed_gateway; fails if it does not exist.
routed_resolve() {
	local shown
	quote shown "$1"
	[[ ! $1 || -e /sys/class/net/$1 ]] ||
		fail "The interface $shown does not exist; correct gatewaydev= in the guest's configuration."
	[[ $1 || -e /sys/class/net/$routed_gateway_default ]] ||
		fail "This host has no $routed_gateway_default; set gatewaydev= in the guest's configuration to the interface whose address is the guest's gateway."
	routed_gateway=${1:-$routed_gateway_default}
}

# routed_read <host's interface>
# Sets routed_host_ipv4, routed_host_ipv6 and routed_answer.
routed_read() {
	local rest entry
	# Of IPv6, those that are not primary are the temporary ones.
	run_with "address show dev $1 primary -tentative
		neighbour show proxy dev $1
" ip -json -batch - || fail "Cannot read the addresses of $1: $reason"
	rest=$run_output routed_host_ipv4='' routed_host_ipv6='' routed_answer=' '
	routed_take_addresses "$rest" ''
	routed_take_addresses "$rest" deprecated
	routed_take_addresses "$rest" link
	while [[ $rest =~ '"dst":"'([^\"]*)'"'(.*) ]]; do
		rest=${BASH_REMATCH[2]}
		routed_answer+="${BASH_REMATCH[1]} "
	done
}

# routed_take_addresses <JSON of ip> <deprecated, link or empty>
# Sets routed_host_ipv4 and routed_host_ipv6, if they are empty, to the first address
# of this kind. A deprecated one works, but is not the host's choice; so does an IPv4
# address of the link's scope, but an IPv6 one would be the same on all interfaces.
routed_take_addresses() {
	local rest=$1 address kind
	while [[ $rest =~ '"local":"'([^\"]*)'"'([^\}]*)(.*) ]]; do
		address=${BASH_REMATCH[1]} kind='' rest=${BASH_REMATCH[3]}
		[[ ${BASH_REMATCH[2]} != *'"deprecated":true'* ]] || kind=deprecated
		[[ ${BASH_REMATCH[2]} =~ '"scope":"'(host|link)'"' ]] && kind=${BASH_REMATCH[1]}
		[[ $kind == "$2" && $address/$kind != *:*/link ]] || continue
		if [[ $address == *:* ]]; then
			routed_host_ipv6=${routed_host_ipv6:-$address}
		else
			routed_host_ipv4=${routed_host_ipv4:-$address}
		fi
	done
}

# routed_look <host's interface>
# Takes the lock of its proxies, and reads its addresses and proxies.
routed_look() {
	lock "proxies $1" || fail "$reason"
	routed_claim "$1"
	routed_read "$1"
}

# routed_suffices [guest's address]...
# Has the host's interface an address of each family that the guest has? Sets
# routed_lacking.
routed_suffices() {
	routed_lacking=()
	[[ $routed_host_ipv4 || ! " $* " =~ \ [0-9.]+[/\ ] ]] || routed_lacking+=(ipv4)
	[[ $routed_host_ipv6 || $* != *:* ]] || routed_lacking+=(ipv6)
	((${#routed_lacking[@]} == 0))
}

# routed_look_later <host's interface>
# Waits for the addresses of routed_lacking, without the lock, and looks again. After
# the boot, they may be about to come.
routed_look_later() {
	local family
	unlock "proxies $1"
	for family in "${routed_lacking[@]}"; do
		helper await --deadline "$routed_patience" "$family" "$1" || break
	done
	routed_look "$1"
}

# routed_require <host's interface> [guest's address]...
# Sets routed_ipv4 and routed_ipv6, one for each family of the guest's. Fails if the
# interface has none.
routed_require() {
	local address
	(($# > 1)) || routed_ipv4=$routed_host_ipv4
	for address in "${@:2}"; do
		if [[ $address == *:* ]]; then
			routed_ipv6=$routed_host_ipv6
			[[ $routed_ipv6 ]] || routed_lacks "$1" IPv6 "$address"
		else
			routed_ipv4=$routed_host_ipv4
			[[ $routed_ipv4 ]] || routed_lacks "$1" IPv4 "$address"
		fi
	done
}

# routed_lacks <host's interface> IPv4|IPv6 <guest's address>
routed_lacks() {
	[[ $2 != IPv6 ]] || ! routed_is_tentative "$1" ||
		fail "The IPv6 address of $1 is still tentative, so $device_id is not attached; bring its link up, or add the address with nodad, then attach it again."
	fail "The interface $1 has no $2 address, which the guest's $3 needs; give it one, or name another interface with gatewaydev=."
}

# routed_is_tentative <host's interface>
# Has it a global IPv6 address that duplicate address detection has not passed yet, nor
# refused?
routed_is_tentative() {
	local scope flags name
	[[ -r /proc/net/if_inet6 ]] || return
	while read -r _ _ _ scope flags name; do
		# IFA_F_TENTATIVE is 0x40, and IFA_F_DADFAILED 0x08.
		[[ $name != "$1" || $scope != 00 || ! $flags =~ ^[0-9a-f]+$ ]] || (((16#$flags & 0x48) != 0x40)) || return 0
	done </proc/net/if_inet6
	return 1
}

# routed_compose <interface> <mtu> [guest's address]...
# Sets routed_lines: link, addresses, routes, proxies.
routed_compose() {
	local address from metric=2 lines
	[[ $type_if != tap ]] || metric=1 # the emulated interface is preferred while it exists
	lines="link set dev $1 down${2:+ mtu $2}"$'\n'"address flush dev $1"$'\n'"link set dev $1 up"$'\n'
	lines+="${routed_ipv4:+address add $routed_ipv4/32 dev $1}"$'\n'"${routed_ipv6:+address add $routed_ipv6/128 dev $1 nodad}"$'\n'
	for address in "${@:3}"; do
		from=$routed_ipv4
		[[ $address != *:* ]] || from=$routed_ipv6
		# If two vifs have the same address (a guest that restarts), prefer the new one.
		lines+="route prepend $address dev $1 src $from metric $metric"$'\n'
	done
	for address in "${routed_proxies[@]}"; do
		lines+="neighbour add proxy $address dev $routed_gateway"$'\n'
	done
	routed_lines=$lines
}

# routed_remember <host's interface> [guest's address]...
# Sets routed_proxies to those of the guest's addresses that need a proxy: hosts, except
# those that the administrator has added a proxy for. Another device of ours may need
# the same one.
routed_remember() {
	local address number
	for address in "${@:2}"; do
		[[ $address == */* || $routed_answer == *" $address "* && $routed_claimed != *" $address "* ]] ||
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
	[[ ! $routed_ipv6 || ! $routed_gateway ]] || routed_set "ipv6/conf/$routed_gateway/proxy_ndp" 1 ||
		fail "Cannot switch on proxy NDP for $routed_gateway: $reason"
}

# routed_set <setting below /proc/sys/net> <value>
routed_set() {
	reason="/proc/sys/net/$1 cannot be written."
	printf '%s\n' "$2" 2>/dev/null >"/proc/sys/net/$1"
}

# routed_unproxy
# Sets routed_lines to what removes the proxies, but for those that another device of
# ours needs; and routed_gateway, routed_index and routed_proxies. Those of an
# interface that is gone are gone. Takes their lock if there are any.
routed_unproxy() {
	local gateway remembered address
	routed_lines=''
	journal_recall gateway gateway
	journal_recall remembered "proxies $gateway"
	read -r routed_index routed_gateway <<<"$gateway"
	read -ra routed_proxies <<<"$remembered"
	routed_remains "$routed_gateway" "$routed_index" || routed_proxies=()
	((${#routed_proxies[@]})) || return 0
	lock "proxies $routed_gateway" || return
	routed_claim "$routed_gateway"
	for address in "${routed_proxies[@]}"; do
		# Adding an existing entry is no error, but deleting a missing one is.
		[[ $routed_claimed == *" $address "* ]] ||
			routed_lines+="neighbour add proxy $address dev $routed_gateway"$'\n'"neighbour delete proxy $address dev $routed_gateway"$'\n'
	done
}

# routed_remains <host's interface> <its index>
# Is it still the same interface?
routed_remains() {
	local index
	read -r index 2>/dev/null <"/sys/class/net/$1/ifindex" && [[ $index == "$2" ]]
}

# routed_claim <host's interface>
# Sets routed_claimed.
routed_claim() {
	local number
	read -r number 2>/dev/null <"/sys/class/net/$1/ifindex" || number=none
	journal_others "needs $number $1"
	routed_claimed=" ${journal_theirs[*]} "
}
