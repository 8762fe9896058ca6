# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A disk for one writing guest, or for several readers: an image file on a loop
# device of its own, or a block device. The helper (helpers/cmd-claim.c) refuses a
# disk that shares bytes with another guest's.

disk_in_use='' # set by disk_keep
disk_open=''   # set by disk_acquire: an open file to claim instead of what the path leads to
disk_kind=''   # set by disk_claim: file or device
disk_target='' # set by disk_claim: the path without symbolic links

# disk_keep
# For the failed release of a resource that uses the disk: something may still write
# to it, so its own release will fail.
disk_keep() {
	disk_in_use=y
}

disk_arguments='PATH MODE'

# disk_acquire <path|name under /dev> <mode> [open file]
# The open file, such as /proc/1234/fd/10, is claimed under the name of the path.
# Sets dev and physical_device.
disk_acquire() {
	local token
	disk_open=${3-}
	printf -v token '%x' "$SRANDOM"
	journal_remember token "$token"
	disk_claim "$1" "$2" --token "$token" --lock "$lock_descriptor" --wait "$lock_wait" --xen-lock "$journal_directory/block"
	journal_remember kind "$disk_kind" device "$dev" number "$physical_device"
}

# disk_plan <path|name under /dev, or empty> <mode> [open file]
# Empty: the previous resource would create it.
disk_plan() {
	[[ ! $1 ]] || disk_claim "$1" "$2" --plan
}

# disk_claim <path|name under /dev> <mode> <option>...
# Sets dev, physical_device, disk_kind and disk_target.
disk_claim() {
	local path=$1 field status=0
	[[ $path == /* ]] || path=/dev/$path
	helper claim --device "$device_id" --mode "$2" "${@:3}" -- "${disk_open:-$path}" || status=$?
	((status == 0)) || disk_rename "$path"
	((status != 4)) || fail "$reason" busy
	((status == 0)) || fail "$reason"
	for field in "${run_reply[@]}"; do
		case $field in
		device=*) dev=${field#*=} ;;
		physical-device=*) physical_device=${field#*=} ;;
		kind=*) disk_kind=${field#*=} ;;
		target=*) disk_target=${field#*=} ;;
		esac
	done
}

# disk_rename <path>
# Puts the path into reason, in place of disk_open.
disk_rename() {
	local shown
	quote shown "$1"
	[[ ! $disk_open ]] || reason=${reason//"'$disk_open'"/"$shown"}
}

# disk_release <path|name under /dev> <mode> [open file]
# Finds the loop device by its tag from the journal. Without a journal, finds it by
# the node that the attach wrote, which may have been another script's.
disk_release() {
	local kind token device loop=()
	reason="The disk '$1' was not released, because something may still write to it; mend the first error, then detach it again."
	[[ ! $disk_in_use ]] || return 1
	journal_recall kind kind
	journal_recall token token
	journal_recall device device
	[[ ! $device ]] || loop=(--loop "$device")
	if [[ $token ]]; then
		[[ $kind == device ]] || helper release --device "$device_id" --token "$token" "${loop[@]}"
	elif [[ ${store_value[node]-} ]]; then
		helper release --device "$device_id" --node "${store_value[node]}" --target "$1"
	fi
}

# disk_check <path|name under /dev> <mode> [open file]
# Is it still the same block device, and a loop device still the one of this attach?
disk_check() {
	local IFS='|' device kind number token
	journal_recall device device
	journal_recall kind kind
	journal_recall number number
	journal_recall token token
	if [[ $kind == file && $token ]]; then
		helper release --keep --device "$device_id" --token "$token" --loop "$device" || return
		[[ "|${run_reply[*]}|" == *"|$device|"* ]] || reason="The loop device '$device' has been detached from '$1'."
	elif [[ ! -b $device ]]; then
		reason="The block device '$device' is gone."
	elif [[ $number ]]; then
		run stat -L -c %t:%T -- "$device" || return
		[[ ${run_output%$'\n'} == "$number" ]] || reason="'$device' is another block device now."
	fi
	[[ ! $reason ]]
}
