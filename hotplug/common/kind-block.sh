# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A disk (vbd): libxl's verbs, its nodes, and what blkback waits for.
# The contract: xen.git, docs/misc/block-scripts.txt and tools/libs/light/libxl_disk.c.

device_verbs='add or remove'

# What a script has in addition to its parameters:
mode=''   # r, w or w!
target='' # if it declares one

# What its resources set:
dev=''             # the path of the block device; for a vbd3, of a socket
physical_device='' # its major:minor in hexadecimal; empty for a vbd3

# block_attached
# Is the disk there already? blkback reads its number once and keeps it, so a second
# add has nothing to do then. The journal and the kernel decide: a node can outlive
# what it names, and its number be another disk's by then.
block_attached() {
	block_is_named || return
	library check
	check_held && block_is_published && return 0
	[[ ${store_value[state]-} != 4 ]] ||
		fail "The guest is connected to the disk $device_id, which is not as it was attached; detach it, then attach it again: $reason"
	block_unpublish || fail "$reason"
	return 1
}

# block_is_named
# Do the nodes that were loaded name a disk?
block_is_named() {
	[[ ${store_value["physical-device"]-}${store_value["physical-device-path"]-} ]]
}

# block_is_published
# Have the nodes what the journal says? Fails with reason set.
block_is_published() {
	local node=physical-device path=${journal_published[0]} number=${journal_published[1]}
	[[ $number ]] || node=physical-device-path number=$path
	[[ ${store_value[$node]-} == "$number" ]] && return 0
	reason="The node $node has another value."
	return 1
}

# block_publish
# physical-device makes blkback connect; QEMU, pygrub and tapback (vbd3) read
# physical-device-path; other scripts detach by node. A vbd3 gets no
# physical-device, because its backend would use that number.
block_publish() {
	[[ $dev ]] || failure_author 'none of the resources has set dev, the block device of the disk; use disk, or set it in NAME_acquire.'
	local items=("node=$dev" "physical-device-path=$dev")
	[[ ! $physical_device ]] || items+=("physical-device=$physical_device")
	journal_publish "$dev" "$physical_device"
	store_publish "$hotplug_name: $verb of $device_id done: ${dev@Q} for domain $domid, mode $mode." \
		"${items[@]}" hotplug-status=connected
}

# block_unpublish
# Removes the nodes that block_publish writes. blkback takes no notice; other scripts
# would take the number for the guest's. Fails with reason set where they may still
# be there.
block_unpublish() {
	local block_refused
	helper publish --deadline 3 "$XENBUS_PATH" node physical-device-path physical-device hotplug-status && return 0
	block_refused=$reason
	if store_load && ! block_is_named; then return 0; fi
	reason=$block_refused
	return 1
}
