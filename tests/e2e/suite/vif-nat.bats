#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Guests behind this host's address.

load ../lib/xen.bash
load ../lib/network.bash
teardown() {
	sysctl -q net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
	dnsmasq_stop
	e2e_teardown
	network_stop
}
setup() {
	guest web 11
	network_start
	world_is_routed
	dnsmasq_start
	before=$(network)
}

# dnsmasq_start
# As docs/vif-nat.md says.
dnsmasq_start() {
	mkdir -p /run/xen-dhcp /run/dnsmasq
	printf '%s\n' 'dhcp-range=10.0.0.0,static,255.0.0.0' 'dhcp-hostsdir=/run/xen-dhcp' >"$E2E_WORK/dnsmasq.conf"
	dnsmasq --conf-file="$E2E_WORK/dnsmasq.conf" --pid-file=/run/dnsmasq/dnsmasq.pid --port=0 --user=root --leasefile-ro 3>&-
}

# dnsmasq_stop
# It takes its file away when it ends.
dnsmasq_stop() {
	local pid
	! read -r pid 2>/dev/null </run/dnsmasq/dnsmasq.pid || kill "$pid"
}

# web_leases
# It says what it gets by DHCP.
web_leases() {
	# shellcheck disable=SC2016 # the guest's shells expand
	guest_does web '
		printf "%s\n" "#!/bin/sh" "[ \$1 != bound ] || echo lease \$ip \$router \$hostname" >/tmp/lease
		chmod +x /tmp/lease
		udhcpc -f -q -n -i eth1 -t 10 -T 2 -O hostname -s /tmp/lease'
}

@test "a guest of vif-nat gets its address by DHCP, reaches the network, and leaves nothing" {
	local domid net net6
	domid=$(xl domid web)
	net=10.$((domid / 256)).$((domid % 256)) net6=fd58:656e:6e61:$(printf %x "$domid")
	web_attach script=vif-nat
	web_leases
	(($(said web "lease $net.2 $net.129 dom$domid-2") > 0))
	web_takes "$net.2/32" "$net6::2/128"
	web_goes_through "$net.129" "$net6::82"
	web_reaches 198.51.100.2 2001:db8:1::2
	xl network-detach web 1
	same_network "$before"
}

@test "the ip=10.0.9.1/16 of Xen's vif-nat is the address of a guest that reaches the network" {
	web_attach script=vif-nat ip=10.0.9.1/16
	web_leases
	(($(said web 'lease 10.0.9.1 10.0.9.128') > 0))
	web_takes 10.0.9.1/16
	web_goes_through 10.0.9.128
	web_reaches 198.51.100.2
	xl network-detach web 1
	same_network "$before"
}

@test "a guest of vif-nat reaches the network of a host that has switched IPv6 off" {
	local domid net
	sysctl -q net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	before=$(network)
	domid=$(xl domid web)
	net=10.$((domid / 256)).$((domid % 256))
	web_attach script=vif-nat
	web_takes "$net.2/32"
	web_goes_through "$net.129"
	web_reaches 198.51.100.2
	xl network-detach web 1
	same_network "$before"
	web_attach bridge=xenbr0 ip=10.9.1.11
	xl network-detach web 1
	same_network "$before"
}
