# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# After an attach that failed or was ended, and for a stale device, whose backend
# directory is gone: the helper starts the script, under the device's lock, with
# hotplug_undo set.

library release

# undo_device
# Leaves nothing of the device, or the journal that says what.
undo_device() {
	local undo_log=()
	run_tell phase detach
	[[ $hotplug_undo != publish ]] || undo_publish
	release_journal
	[[ $hotplug_undo != stale ]] || undo_log=(--log "$hotplug_name: $device_id, whose backend directory was gone, is released.")
	journal_forget "${undo_log[@]}"
}

# undo_publish
# The nodes may have been written, although publishing failed: the answer was
# lost. Nodes that stay name a device, which must not become another guest's:
# nothing is released then before a detach.
undo_publish() {
	"${device_kind}_unpublish" || fail "$device_id stays attached, because its nodes cannot be removed; detach it. $reason"
}
