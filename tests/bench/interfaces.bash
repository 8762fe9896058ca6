# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The kinds of interface: before an attach, and after it. Sourced by the driver.

# What a guest with ip= has; Xen's vif-route fails with an address of IPv6.
bench_ipv4=198.51.100.5
bench_ipv6=2001:db8:5::5

# fresh_interface <domid> [node value]...
# The nodes and the interface as they are when libxl calls.
fresh_interface() {
	forget_device vif "$1"
	[[ ! -e /sys/class/net/vif$1.0 ]] || host ip link del "vif$1.0"
	vif "$1" 0 "${@:2}"
}

# fresh_vif <domid>
fresh_vif() {
	fresh_interface "$1" bridge xenbr0
}

# fresh_ip <domid>
fresh_ip() {
	fresh_interface "$1" bridge xenbr0 ip "$bench_ipv4 $bench_ipv6"
}

# fresh_route <domid>
fresh_route() {
	fresh_interface "$1" ip "$bench_ipv4"
}

# fresh_nat <domid>
# Its addresses follow from its number.
fresh_nat() {
	fresh_interface "$1"
}

# fresh_ovs <domid>
fresh_ovs() {
	fresh_interface "$1" bridge ovs0
}

# verify_vif_attached <domid>
verify_vif_attached() {
	verify_connected "backend/vif/$1/0"
	[[ -e /sys/class/net/xenbr0/brif/vif$1.0 ]] || abort "vif$1.0 is no port of its bridge"
}

# verify_vif_detached <domid>
verify_vif_detached() {
	[[ ! -e /sys/class/net/xenbr0/brif/vif$1.0 ]] || abort "vif$1.0 still is a port of its bridge"
}

# verify_ip_attached <domid>
# Xen's scripts, as Debian has them, do not enforce ip=.
verify_ip_attached() {
	verify_vif_attached "$1"
	[[ $who == upstream ]] || verify_filter "$1"
}

# verify_ip_detached <domid>
verify_ip_detached() {
	verify_vif_detached "$1"
	verify_no_filter "$1"
}

# verify_route_attached <domid>
verify_route_attached() {
	verify_nat_attached "$1"
	[[ $(ip route show "$bench_ipv4") == *"dev vif$1.0"* ]] || abort "there is no route to $bench_ipv4"
}

# verify_route_detached <domid>
verify_route_detached() {
	verify_nat_detached "$1"
}

# verify_nat_attached <domid>
verify_nat_attached() {
	verify_connected "backend/vif/$1/0"
	[[ $(ip route show dev "vif$1.0") ]] || abort "there is no route to vif$1.0"
	[[ $who == upstream ]] || verify_filter "$1"
}

# verify_nat_detached <domid>
verify_nat_detached() {
	[[ ! $(ip route show dev "vif$1.0") ]] || abort "there still is a route to vif$1.0"
	verify_no_filter "$1"
}

# verify_ovs_attached <domid>
verify_ovs_attached() {
	verify_connected "backend/vif/$1/0"
	[[ $(ovs-vsctl list-ports ovs0) == "vif$1.0" ]] || abort "vif$1.0 is no port of ovs0"
}

# verify_ovs_detached <domid>
verify_ovs_detached() {
	[[ ! $(ovs-vsctl list-ports ovs0) ]] || abort "vif$1.0 still is a port of ovs0"
}

# verify_filter <domid>
verify_filter() {
	[[ $(nft list chain netdev xen_hotplug "vif$1.0") == *'policy drop'* ]] || abort "vif$1.0 has no filter"
}

# verify_no_filter <domid>
verify_no_filter() {
	! nft list chain netdev xen_hotplug "vif$1.0" >/dev/null 2>&1 || abort "vif$1.0 still has a filter"
}
