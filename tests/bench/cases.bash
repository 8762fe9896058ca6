# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What is measured: kinds of device, how each is before an attach, and how one
# sees that a script did its work. For guest 1; a burst has guests 1 to 16.

declare -A kind_script=([vif]=vif-bridge [ip]=vif-bridge [route]=vif-route [nat]=vif-nat [ovs]=vif-openvswitch
	[image]=block [device]=block)
declare -A kind_type=([image]=vbd [device]=vbd)
declare -A kind_devid=([image]=51712 [device]=51712)
declare -A kind_attach=([image]=add [device]=add)
declare -A kind_detach=([image]=remove [device]=remove)
for kind in vif ip route nat ovs; do
	kind_type[$kind]=vif kind_devid[$kind]=0 kind_attach[$kind]=online kind_detach[$kind]=offline
done
unset kind

# What a guest with ip= has; Xen's vif-route fails with an address of IPv6.
bench_ipv4=198.51.100.5
bench_ipv6=2001:db8:5::5

# forget_nodes <path>
# Removes a node with all below it, if there is one.
forget_nodes() {
	! store_has "$1" || xenstore-rm "$1"
}

# forget_device <kind> <domid>
# What the toolstack removes once the device is detached.
forget_device() {
	forget_nodes "backend/${kind_type[$1]}/$2"
	forget_nodes "/local/domain/$2/device"
}

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

# fresh_image <domid>
fresh_image() {
	forget_device image "$1"
	vbd "$1" 51712 "$bench_image"
}

# fresh_device <domid>
# Each guest has a block device of its own.
fresh_device() {
	forget_device device "$1"
	vbd "$1" 51712 "${bench_devices[$1 - 1]}"
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

# verify_image_attached <domid>
verify_image_attached() {
	local loop
	loop=$(losetup --noheadings --raw --output NAME --associated "$bench_image")
	[[ $loop ]] || abort 'the image is on no loop device'
	verify_number "$1" "$loop"
}

# verify_image_detached <domid>
verify_image_detached() {
	[[ ! $(losetup --associated "$bench_image") ]] || abort 'the image still is on a loop device'
}

# verify_device_attached <domid>
verify_device_attached() {
	verify_number "$1" "${bench_devices[$1 - 1]}"
}

# verify_device_detached <domid>
# There is nothing to see: the device is as it was.
verify_device_detached() {
	:
}

# verify_number <domid> <block device>
# blkback was told of that device.
verify_number() {
	local number
	verify_connected "backend/vbd/$1/51712"
	number=$(store_get "backend/vbd/$1/51712/physical-device") || abort 'physical-device was not written'
	[[ $number == "$(stat --format %t:%T "$2")" ]] || abort "physical-device is $number, not that of $2"
}

# verify_connected <path>
verify_connected() {
	local status
	status=$(store_get "$1/hotplug-status") || status='not there'
	[[ $status == connected ]] || abort "$1/hotplug-status is '$status'"
}
