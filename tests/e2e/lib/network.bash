# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A network beyond this host, what a guest reaches there by its second
# interface, and what its scripts leave in this host's: sourced by the suite,
# after xen.bash.
#
# The world is a namespace; the wire is this host's end of the way there. A test
# plugs it into what its guest is to be connected to:
#
#   xenbr0   the bridge that all tests have
#   vlanbr0  a bridge that filters VLANs
#   ovs0     a bridge of Open vSwitch
#   nothing  the host routes

# vsctl <argument>...
# ovs-vsctl, which by itself waits for ever.
vsctl() {
	ovs-vsctl --timeout=$((60 * TEST_PACE)) "$@"
}

# network_start
network_start() {
	ip netns add world
	ip netns exec world sysctl -q net.ipv6.conf.default.accept_dad=0
	ip link add wire type veth peer name world netns world
	ip -n world link set world up
	ip link set wire up
	ip link add vlanbr0 up type bridge vlan_filtering 1
	vsctl add-br ovs0
	# What stays when it is empty: our table, and iptables' chains.
	nft add table netdev xen_hotplug
	iptables -P FORWARD ACCEPT
	ip6tables -P FORWARD ACCEPT
}

# network_stop
# What of it is there.
network_stop() {
	iptables_sees_bridged 0
	iptables -P FORWARD ACCEPT
	ip6tables -P FORWARD ACCEPT
	vsctl --if-exists del-br ovs0 || :
	rm -rf "$scripts/vlan-vif-bridge" /run/xen-dhcp
	ip link delete vlanbr0 || :
	ip link delete wire || :
	ip netns delete world || :
}

# world_has <interface> <address/length>...
world_has() {
	local address
	for address in "${@:2}"; do
		ip -n world address add "$address" dev "$1"
	done
}

# world_has_vlans <VLAN>...
# What is sent there has one of these tags, each for an interface of its own.
world_has_vlans() {
	local vlan
	for vlan; do
		ip -n world link add link world name "world.$vlan" up type vlan id "$vlan"
	done
}

# world_is_routed
# The host routes there. The world knows no network but that of the wire.
world_is_routed() {
	sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip address add 198.51.100.1/24 dev wire
	ip address add 2001:db8:1::1/64 dev wire nodad
	world_has world 198.51.100.2/24 2001:db8:1::2/64
}

# world_reaches <address>...
# Each answers to a ping from there.
world_reaches() {
	local address
	for address; do
		within 30 ip netns exec world ping -c 1 -W 1 "$address"
	done
}

# web_attach <argument of xl network-attach>...
# The guest web has a second interface, which has the addresses 10.9.1.11 and fd00:9:1::11.
web_attach() {
	local had
	had=$(said web 'has eth1')
	xl network-attach web "$@"
	within 30 said_more web 'has eth1' "$had"
}

# web_reaches <address>...
# Each answers to a ping from there.
web_reaches() {
	guest_does web "
		$web_settles
		for address in $*; do
			tries=10
			until ping -c 1 -W 2 \$address; do
				tries=\$((tries - 1))
				[ \$tries -gt 0 ] || exit 1
			done
		done"
}

# web_is_cut_off_from <address>...
# None answers. That means something where the guest has reached them before, or
# does so after it.
web_is_cut_off_from() {
	guest_does web "
		$web_settles
		rm -f /tmp/reached
		for address in $*; do
			ping -c 3 -W 1 \$address && : >/tmp/reached &
		done
		wait
		[ ! -e /tmp/reached ]"
}

# Its IPv6 addresses can be used when it has asked whether somebody else has them.
web_settles='while ip address show | grep -q tentative; do sleep 0.1; done'

# web_takes <address/length>...
# Its second interface has these addresses and no others.
web_takes() {
	guest_does web "
		echo 1 >/proc/sys/net/ipv4/conf/eth1/promote_secondaries
		for new in $*; do
			ip address replace \$new dev eth1 || exit 1
		done
		ip -o address show dev eth1 scope global | while read -r _ _ _ old _; do
			case ' $* ' in *\" \$old \"*) ;; *) ip address delete \$old dev eth1 ;; esac
		done"
}

# web_takes_mac <MAC address>
# That of its second interface, which has only its IPv4 addresses after it.
web_takes_mac() {
	guest_does web "ip link set eth1 down && ip link set eth1 address $1 && ip link set eth1 up"
}

# web_goes_through <router> [IPv6 router]
# To all that is not on the link.
web_goes_through() {
	guest_does web "
		ip route add $1 dev eth1 && ip route add default via $1 dev eth1 || exit 1
		[ ! '${2-}' ] || { ip -6 route add ${2-} dev eth1 && ip -6 route add default via ${2-} dev eth1; }"
}

# web_serves_dhcp
# It offers addresses of 10.9.1.0/24 on its second interface, which has one.
web_serves_dhcp() {
	# shellcheck disable=SC2016 # the guest's shell expands
	guest_does web '
		[ ! -e /tmp/udhcpd.pid ] || kill "$(cat /tmp/udhcpd.pid)"
		printf "%s\n" "start 10.9.1.50" "end 10.9.1.60" "interface eth1" "lease_file /tmp/leases" "pidfile /tmp/udhcpd.pid" >/tmp/udhcpd.conf
		: >/tmp/leases
		udhcpd /tmp/udhcpd.conf'
}

# world_leases <tries>
# It gets an address by DHCP.
world_leases() {
	ip netns exec world busybox udhcpc -i world -n -q -t "$1" -T 2 -s /bin/true
}

# web_has_vlan <VLAN>
# What has this tag is for an interface of its own.
web_has_vlan() {
	guest_does web "
		for module in llc stp garp mrp 8021q; do
			[ -e /sys/module/\$module ] || insmod /\$module.ko || exit 1
		done
		ip link add link eth1 name vlan$1 type vlan id $1 && ip link set vlan$1 up &&
			ip address add 10.9.$1.11/24 dev vlan$1 && ip -6 address add fd00:9:$1::11/64 dev vlan$1"
}

# vlan_word <VLANs>
# Sets vlan to the word by which a vif of xl has them on a Linux bridge. The xl
# of Xen 4.17 does not know vlan=; there a script writes the node.
vlan_word() {
	vlan=vlan=$1
	! xl -N network-attach Domain-0 "$vlan" >/dev/null 2>&1 || return 0
	vlan=script=vlan-vif-bridge
	cat >"$scripts/vlan-vif-bridge" <<-END
		#!/bin/bash
		xenstore-write "\$XENBUS_PATH/vlan" "$1"
		exec "$scripts/vif-bridge" "\$@"
	END
	chmod +x "$scripts/vlan-vif-bridge"
}

# iptables_sees_bridged 0|1
iptables_sees_bridged() {
	[[ $1 == 0 ]] || modprobe br_netfilter
	[[ ! -e /proc/sys/net/bridge ]] ||
		sysctl -q net.bridge.bridge-nf-call-iptables="$1" net.bridge.bridge-nf-call-ip6tables="$1"
}

# network
# All that a script could have left, without what follows from whether an
# interface is up and has carrier.
network() {
	residue
	nft --stateless list ruleset
	iptables-save | rules
	ip6tables-save | rules
	{ ip route && ip -6 route; } | sed -e '/^fe80::\/64 dev [^ ]* proto kernel /d' -e 's/ linkdown//'
	ip neighbour show proxy
	bridge vlan
	[[ ! -e /run/xen-dhcp ]] || find /run/xen-dhcp -type f
	vsctl show
}
rules() {
	sed -e '/^#/d' -e 's/ \[[0-9:]*\]$//'
}

# same_network <before>
same_network() {
	within 15 is_network "$1" >/dev/null || {
		echo 'What is not as before:'
		diff <(printf '%s\n' "$1") <(network)
		return 1
	}
}
is_network() {
	[[ $(network) == "$1" ]]
}
