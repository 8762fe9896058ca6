# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A block device that reads from one and keeps what is written in another:
# Linux' snapshot target (its admin-guide/device-mapper/snapshot.rst).

overlay_chunk=8           # sectors, which are copied at the first write to one of them
declare -gA overlay_found # this device's mappings: name -> dm-N

# overlay_acquire <base device> <its sectors> <device to write to> <persist: y or n>
# Sets dev, to the name by which the kernel makes it: udev adds that below
# /dev/mapper when it comes to it.
overlay_acquire() {
	local name store=N
	[[ $4 == n ]] || store=P
	printf -v name 'xen-hotplug-%s-%08x' "${device_id//\//-}" "$SRANDOM"
	run dmsetup create "$name" --noudevsync --table "0 $2 snapshot $1 $3 $store $overlay_chunk" ||
		fail "Cannot lay $3 over $1: $reason"
	overlay_find
	dev=/dev/${overlay_found[$name]-}
}

# overlay_plan <base device> <its sectors> <device to write to> <persist>
overlay_plan() {
	dev=''
}

# overlay_release <base device> <its sectors> <device to write to> <persist>
# While somebody still has it open, it goes when that one closes it.
overlay_release() {
	local name status=0
	overlay_find
	for name in "${!overlay_found[@]}"; do
		run dmsetup remove --deferred "$name" || status=$?
	done
	((status == 0)) || overlay_find
	((status == 0 || ${#overlay_found[@]} == 0)) || {
		disk_in_use=1
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
# Sets overlay_found to one, and those that are about to go. The kernel knows
# them, whatever a kill has cut short.
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
