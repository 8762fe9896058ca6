# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What is measured: kinds of device, how each is before an attach, and how one
# sees that a script did its work. For guest 1; a burst has guests 1 to 16.

declare -A kind_script=([vif]=vif-bridge [image]=block [device]=block)
declare -A kind_type=([vif]=vif [image]=vbd [device]=vbd)
declare -A kind_devid=([vif]=0 [image]=51712 [device]=51712)
declare -A kind_attach=([vif]=online [image]=add [device]=add)
declare -A kind_detach=([vif]=offline [image]=remove [device]=remove)

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

# fresh_vif <domid>
# The nodes and the interface as they are when libxl calls.
fresh_vif() {
	forget_device vif "$1"
	[[ ! -e /sys/class/net/vif$1.0 ]] || host ip link del "vif$1.0"
	vif "$1" 0 bridge xenbr0
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
