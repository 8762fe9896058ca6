# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The block device for a SCSI disk: the multipath map of its paths or, without
# one, its only path. Also looks for other paths to the disk, which have other
# names, and may be in use by another guest.

library journal-read
library lib/sysfs

multipath_wwid=''   # set by multipath_identify: the disk's identity
multipath_map=''    # set by multipath_find and multipath_is_whole: the multipath device
multipath_holder='' # set by multipath_of: the multipath device that has one path

multipath_arguments='y|n PATHS MODE'

# multipath_acquire <y|n> <block devices: sdb sdc> <mode>
# Sets dev.
multipath_acquire() {
	local paths
	read -ra paths <<<"$2"
	multipath_map=''
	multipath_identify "${paths[@]}"
	lock "wwid/$multipath_wwid" || fail "$reason"
	if [[ $1 == y ]]; then
		multipath_join "${paths[@]}"
		dev=/dev/$multipath_map
	else
		((${#paths[@]} == 1)) ||
			fail "There are several paths to this disk (${paths[*]}); add multipath=y to the guest's configuration."
		dev=/dev/${paths[0]}
	fi
	[[ $3 == 'w!' ]] || multipath_check_others "$3"
}

# multipath_plan <y|n> <block devices> <mode>
multipath_plan() {
	[[ $1 == n ]] || parameters_check_tools multipath
}

# multipath_release <y|n> <block devices> <mode>
# Removes a map of ours, unless another guest needs it.
multipath_release() {
	local wwid paths
	journal_recall wwid wwid
	[[ $wwid ]] || return 0
	read -ra paths <<<"$2"
	lock "wwid/$wwid" || return
	journal_shared "needs map $wwid" y || multipath_remove "${paths[@]}" || return
	journal_drop "needs map $wwid"
	unlock "wwid/$wwid"
}

# multipath_remove <block device>...
# Removes the map of these paths, if there is one.
multipath_remove() {
	local name
	multipath_find "$@" || return 0
	sysfs_read name "/sys/class/block/$multipath_map/dm/name" || return 0
	run multipath -f "$name" || ! multipath_find "$@" || return
	# Takes the disk off multipath's list of WWIDs; otherwise it would create the map again.
	run multipath -w "/dev/$1" || :
}

# multipath_check <y|n> <block devices> <mode>
multipath_check() {
	local paths path
	[[ $1 == y ]] || return 0
	read -ra paths <<<"$2"
	for path in "${paths[@]}"; do
		[[ ! -e /sys/class/block/$path ]] || multipath_of "$path" || reason="The path $path is not in a multipath device."
	done
	[[ ! $reason ]]
}

# multipath_identify <block device>...
# Sets multipath_wwid, which must be the same for all of them.
multipath_identify() {
	local path other
	multipath_wwid=''
	for path; do
		sysfs_read other "/sys/class/block/$path/device/wwid" || other=''
		[[ $other ]] || fail "The disk $path reports no WWID (VPD page 0x83), so its other paths cannot be found; set one at the target, or use script=block-shared with /dev/$path."
		[[ $other == "${multipath_wwid:=$other}" ]] ||
			fail "$1 and $path are different disks ($multipath_wwid, $other), not two paths to one; correct the portals in the guest's configuration, or the target."
	done
}

# multipath_of <block device>
# Sets multipath_holder; fails if there is none.
multipath_of() {
	local holder uuid
	for holder in "/sys/class/block/$1/holders"/*; do
		sysfs_read uuid "$holder/dm/uuid" || continue
		[[ $uuid == mpath-* ]] || continue
		multipath_holder=${holder##*/}
		return 0
	done
	return 1
}

# multipath_find <block device>...
# Sets multipath_map to the multipath device that has one of these paths; fails if
# there is none.
multipath_find() {
	local path
	for path; do
		multipath_of "$path" || continue
		multipath_map=$multipath_holder
		return 0
	done
	return 1
}

# multipath_is_whole <block device>...
# Sets multipath_map to the multipath device that has all of these paths; fails if
# there is none.
multipath_is_whole() {
	local path
	multipath_map=''
	for path; do
		multipath_of "$path" && [[ $multipath_holder == "${multipath_map:=$multipath_holder}" ]] || return
	done
}

# multipath_join <block device>...
# Sets multipath_map, and creates or completes it if multipathd has not. A map that existed before is kept; one that another guest's attach created is
# removed by the last of us.
multipath_join() {
	parameters_check_tools multipath
	if ! multipath_find "$@" || journal_shared "map $multipath_wwid" y; then
		journal_remember wwid "$multipath_wwid" "map $multipath_wwid" y "needs map $multipath_wwid" y
	fi
	# multipathd learns of the paths from udev.
	multipath_is_whole "$@" || run udevadm settle --timeout=5 || :
	multipath_is_whole "$@" || run multipath -i "/dev/$1" || fail "Cannot make a multipath device of $*: $reason"
	sysfs_await 5 multipath whole "$@" ||
		fail "The paths $* did not become one multipath device; see 'multipath -ll', and /etc/multipath.conf."
}

# multipath_check_others <mode>
# Fails if another guest uses the same disk on a path that is not ours.
multipath_check_others() {
	local scsi path other status=0
	for scsi in /sys/class/scsi_disk/*/device; do
		sysfs_read other "$scsi/wwid" || continue
		[[ $other == "$multipath_wwid" ]] || continue
		for path in "$scsi"/block/*; do
			multipath_is_ours "${path##*/}" || helper claim --plan --device "$device_id" --mode "$1" -- "/dev/${path##*/}" || status=$?
			((status != 4)) || fail "This disk can also be reached as ${path##*/}, which has the same WWID ($multipath_wwid): $reason" busy
			((status == 0 || status == 3)) || fail "$reason"
		done
	done
}

# multipath_is_ours <block device>
# Is it what the guest gets, or a path in multipath_map?
multipath_is_ours() {
	[[ /dev/$1 == "$dev" ]] || { [[ $multipath_map ]] && multipath_of "$1" && [[ $multipath_holder == "$multipath_map" ]]; }
}
