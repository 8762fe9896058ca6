# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A stale device: its backend directory is gone, and libxl called no detach. xen-hotplug
# gc, or an attach that meets it, starts its script with hotplug_undo=stale; what the
# journal names is then released as by a detach.

library release
library lib/sysfs

gc_patience=2 # seconds for what looks at a loop device, such as udev, to close it

gc_directory='' # the field of the backend directory

# The exit statuses, besides 0 and 1 (helpers/stale.h).
gc_alive=3  # the device has a backend directory
gc_served=4 # the kernel's backend still serves it
gc_locked=5 # another script works on it

# gc_device
gc_device() {
	local kept=''
	gc_lock
	[[ ! -e $journal_file ]] || journal_read || fail "$reason"
	! journal_current || gc_require
	run_tell phase detach
	release_resources
	failure_end
	! journal_current || sysfs_await "$gc_patience" gc settled || kept=$reason
	journal_forget --log "$hotplug_name: $device_id, whose backend directory was gone, is released."
	[[ ! $kept ]] || fail "$kept"
}

# gc_lock
# Takes the device's lock without waiting, and sets gc_directory.
gc_lock() {
	local gc_status=0
	helper load --wait 0.001 --lock "$lock_descriptor:$device_id" "${XENBUS_PATH%/*}" "$devid" || gc_status=$?
	((gc_status != lock_missing)) || lifecycle_answer "$gc_locked"
	((gc_status == 0)) || fail "$reason"
	gc_directory=${run_reply[0]}
}

# gc_require
# Ends the script unless the device is gone from the store and from the kernel, which
# keeps its backend after a crash of xenstored. (A journal of an earlier boot is stale
# in any case.)
gc_require() {
	[[ $gc_directory != =* ]] || lifecycle_answer "$gc_alive"
	[[ $gc_directory == - ]] || fail "Cannot read $XENBUS_PATH in the store: ${gc_directory#!}."
	[[ ! -e /sys/bus/xen-backend/devices/${device_id//\//-} ]] || lifecycle_answer "$gc_served"
}

# gc_is_settled
# Is nothing left that goes at its last close? Otherwise sets reason.
gc_is_settled() {
	local at
	for at in "${!journal_name[@]}"; do
		journal_select "$at"
		! resource_has settled "$journal_resource" || "${journal_resource}_settled" "${journal_arguments[@]}" || return
	done
}
