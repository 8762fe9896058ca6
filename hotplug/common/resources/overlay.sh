# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A writable snapshot: device-mapper's snapshot target, which reads from a base and
# writes to a store (Linux' admin-guide/device-mapper/snapshot.rst).

# shellcheck source=disk.sh
resource_find disk

overlay_chunk=8           # sectors that are copied at the first write to one of them
declare -gA overlay_found # this device's mappings: name -> dm-N

overlay_arguments='BASE SECTORS DEVICE PERSIST'

# overlay_acquire <base device> <its sectors> <device to write to> <persist: y or n>
# Sets dev to the kernel's name, because udev creates the link in /dev/mapper only
# later.
overlay_acquire() {
	local name store=N
	[[ $4 == n ]] || store=P
	printf -v name 'xen-hotplug-%s-%08x' "${device_id//\//-}" "$SRANDOM"
	run dmsetup create "$name" --noudevsync --table "0 $2 snapshot $1 $3 $store $overlay_chunk" ||
		fail "Cannot create a snapshot of $1 with $3 as its store: $reason"
	overlay_find
	dev=/dev/${overlay_found[$name]-}
}

# overlay_plan <base device> <its sectors> <device to write to> <persist>
overlay_plan() {
	dev=''
}

# overlay_release <base device> <its sectors> <device to write to> <persist>
# A device that is still open is removed when it is closed.
overlay_release() {
	local name status=0
	overlay_find
	for name in "${!overlay_found[@]}"; do
		run dmsetup remove --deferred "$name" || status=$?
	done
	((status == 0)) || overlay_find
	((status == 0 || ${#overlay_found[@]} == 0)) || {
		disk_keep
		return 1
	}
}

# overlay_check <base device> <its sectors> <device to write to> <persist>
overlay_check() {
	overlay_find
	((${#overlay_found[@]})) || reason="The device-mapper device of $device_id is gone."
	[[ ! $reason ]]
}

# overlay_find
# Sets overlay_found, including those whose removal is deferred. Reads the kernel's
# list, because a kill may have come before any record.
overlay_find() {
	local file name
	overlay_found=()
	for file in /sys/class/block/dm-*/dm/name; do
		read -r name 2>/dev/null <"$file" || continue
		[[ $name == "xen-hotplug-${device_id//\//-}-"* ]] || continue
		file=${file%/dm/name}
		overlay_found[$name]=${file##*/}
	done
}
