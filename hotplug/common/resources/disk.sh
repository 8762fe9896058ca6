# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A disk for this guest alone, or for several who only read: an image file on
# a loop device of its own, or a block device as it is. Two guests' bytes are
# kept apart by the helper (helpers/cmd-claim.c).

disk_in_use='' # set by a release on top of it that failed: somebody may still write to the disk

# disk_acquire <path|name under /dev> <mode>
# Sets dev and physical_device.
disk_acquire() {
	local token
	printf -v token '%x' "$SRANDOM"
	journal_remember token "$token"
	disk_claim "$@" --token "$token" --lock "$run_lock" --wait "$lifecycle_lock_wait"
	journal_remember kind "$disk_kind" device "$dev"
}

# disk_plan <path|name under /dev, or empty> <mode>
# Empty: what the resource before it is going to make.
disk_plan() {
	[[ ! $1 ]] || disk_claim "$@" --plan
}

# disk_claim <path|name under /dev> <mode> <option>...
# Sets dev, physical_device and disk_kind (file or device).
disk_claim() {
	local path=$1 field status=0
	[[ $path == /* ]] || path=/dev/$path
	helper claim --device "$device_id" --mode "$2" "${@:3}" -- "$path" || status=$?
	((status != 4)) || fail "$reason" busy
	((status == 0)) || fail "$reason"
	for field in "${reply[@]}"; do
		case $field in
		device=*) dev=${field#*=} ;;
		physical-device=*) physical_device=${field#*=} ;;
		kind=*) disk_kind=${field#*=} ;;
		esac
	done
}

# disk_release <path|name under /dev> <mode>
# The loop device is known by the tag of the attach. Without a journal, by the
# node that the attach, perhaps of other scripts, wrote.
disk_release() {
	local kind token
	reason="The disk '$1' stays this guest's, as something may still write to it."
	[[ ! $disk_in_use ]] || return 1
	journal_recall kind kind
	journal_recall token token
	if [[ $token ]]; then
		[[ $kind == device ]] || helper release --device "$device_id" --token "$token"
	elif [[ ${store_value[node]-} ]]; then
		helper release --device "$device_id" --node "${store_value[node]}" --target "$1"
	fi
}

# disk_check <path|name under /dev> <mode>
disk_check() {
	local device
	journal_recall device device
	[[ -b $device ]] || reason="The block device '$device' is gone."
	[[ ! $reason ]]
}
