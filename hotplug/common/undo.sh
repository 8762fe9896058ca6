# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# After an attach that failed or was ended: the helper starts the script once
# more, under the same lock, with hotplug_undo set.

library release

# undo_device
# Leaves nothing of the device, or the journal that says what.
undo_device() {
	run_tell phase detach
	# The nodes may have been written all the same: the answer was lost.
	[[ $hotplug_undo != publish ]] || "${device_kind}_unpublish" || :
	[[ ! -e $journal_file ]] || journal_read || complain "$reason"
	release_resources
	failure_end
	helper forget "$journal_file" || fail "$reason"
}
