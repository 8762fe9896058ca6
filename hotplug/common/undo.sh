# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# After an attach that failed or was ended: the helper starts the script once
# more, under the same lock, with hotplug_undo set.

library release

# undo_publish
# The nodes may have been written, although publishing failed: the answer was
# lost. Nodes that stay name a device, which must not become another guest's:
# nothing is released then before a detach.
undo_publish() {
	"${device_kind}_unpublish" || fail "$device_id stays attached, because its nodes cannot be removed; detach it. $reason"
}

# undo_device
# Leaves nothing of the device, or the journal that says what.
undo_device() {
	run_tell phase detach
	[[ $hotplug_undo != publish ]] || undo_publish
	[[ ! -e $journal_file ]] || journal_read || complain "$reason"
	release_resources
	failure_end
	journal_forget
}
