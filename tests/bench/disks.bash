# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The kinds of disk: before an attach, and after it. Servers and what the kernel
# may lack are stand-ins, in a host that hosts.bash makes. Sourced by the driver.

# fresh_disk <kind> <domid> <target>
fresh_disk() {
	forget_device "$1" "$2"
	vbd "$2" 51712 "$3"
}

# fresh_image <domid>
fresh_image() {
	fresh_disk image "$1" "$bench_image"
}

# fresh_device <domid>
# Each guest has a block device of its own.
fresh_device() {
	fresh_disk device "$1" "${bench_devices[$1 - 1]}"
}

# fresh_dummy <domid>
# With the prefix that Xen's needs.
fresh_dummy() {
	fresh_disk dummy "$1" "dummy:$bench_image"
}

# fresh_shared <domid>
fresh_shared() {
	fresh_disk shared "$1" "$bench_image"
}

# fresh_iscsi <domid>
# Xen's scripts leave the record, which ours would keep as somebody else's.
fresh_iscsi() {
	rm -rf /etc/iscsi/nodes
	fresh_disk iscsi "$1" "iqn=$iqn,portal=${portal%,*}"
}

# fresh_drbd <domid>
fresh_drbd() {
	export DRBD_VERSION=9
	fresh_disk drbd "$1" r0
}

# fresh_probe <domid>
# The DRBD that has the protocol which it asks for.
fresh_probe() {
	export DRBD_VERSION=8.3
}

# fresh_nbd <domid>
fresh_nbd() {
	fresh_disk nbd "$1" host=127.0.0.1,export=disk
}

# fresh_qcow2 <domid>
fresh_qcow2() {
	fresh_disk qcow2 "$1" "file=$BENCH_DISKS/disk.qcow2"
}

# fresh_overlay <domid>
# With persist=n, which needs all of its tools.
fresh_overlay() {
	fresh_disk overlay "$1" "base=$bench_image,persist=n"
}

# fresh_tap <domid>
fresh_tap() {
	forget_device tap "$1"
	vbd3 "$1" 51712 "vhd:$BENCH_DISKS/disk.vhd"
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

# The calls, each with the domid.
verify_dummy_attached() { verify_image_attached "$1"; }
verify_dummy_detached() { verify_image_detached "$1"; }
verify_shared_attached() { verify_image_attached "$1"; }
verify_shared_detached() { verify_image_detached "$1"; }

# verify_iscsi_attached <domid>
# What the stand-in still does in the background is awaited, so that it is not
# done after the detach.
verify_iscsi_attached() {
	local disk
	disk=$(iscsi_disk "$iqn" 0)
	verify_number "$1" "$disk"
	until_true test -d "$ISCSI/class/block/${disk##*/}" || abort 'the session has no disk'
}

# verify_iscsi_detached <domid>
verify_iscsi_detached() {
	[[ ! $(iscsi_sessions) ]] || abort 'the session is still there'
}

# verify_drbd_attached <domid>
verify_drbd_attached() {
	local device
	read -r _ _ device <"$DRBD_STATE/r0/volumes"
	verify_number "$1" "$device"
	[[ $(drbd_role r0) == Primary ]] || abort 'the resource is not Primary'
}

# verify_drbd_detached <domid>
verify_drbd_detached() {
	[[ $(drbd_role r0) == Secondary ]] || abort 'the resource still is Primary'
}

# verify_probe_attached <domid>
# Its exit status is all that there is.
verify_probe_attached() {
	:
}

# verify_nbd_attached <domid>
verify_nbd_attached() {
	verify_connected "backend/vbd/$1/51712"
	[[ $(nbd_devices) == nbd0 ]] || abort 'no NBD device is connected'
}

# verify_nbd_detached <domid>
verify_nbd_detached() {
	[[ ! $(nbd_devices) ]] || abort 'an NBD device still is connected'
}

# verify_qcow2_attached <domid>
verify_qcow2_attached() {
	verify_nbd_attached "$1"
	pgrep -x qemu-nbd >/dev/null || abort 'there is no qemu-nbd'
}

# verify_qcow2_detached <domid>
verify_qcow2_detached() {
	verify_nbd_detached "$1"
	! pgrep -x qemu-nbd >/dev/null || abort 'there still is a qemu-nbd'
}

# verify_overlay_attached <domid>
verify_overlay_attached() {
	verify_connected "backend/vbd/$1/51712"
	[[ $(mappings) ]] || abort 'there is no mapping'
}

# verify_overlay_detached <domid>
verify_overlay_detached() {
	[[ ! $(mappings) ]] || abort 'there still is a mapping'
	verify_image_detached "$1"
}

# verify_tap_attached <domid>
verify_tap_attached() {
	verify_connected "backend/vbd3/$1/51712"
	[[ $(tapdisks) ]] || abort 'there is no tapdisk'
}

# verify_tap_detached <domid>
verify_tap_detached() {
	[[ ! $(tapdisks) ]] || abort 'there still is a tapdisk'
}

# verify_number <domid> <block device>
# blkback was told of that device.
verify_number() {
	local number
	verify_connected "backend/vbd/$1/51712"
	number=$(store_get "backend/vbd/$1/51712/physical-device") || abort 'physical-device was not written'
	[[ $number == "$(stat --format %t:%T "$2")" ]] || abort "physical-device is $number, not that of $2"
}
