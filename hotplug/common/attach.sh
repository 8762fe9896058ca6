# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A device is attached: what its script declares is acquired, then published.

run_meanwhile+=(resources_ahead)

# attach_device
# All of the device, or nothing of it.
attach_device() {
	"${device_kind}_load" || fail "$reason"
	"${device_kind}_accept"
	if "${device_kind}_attached"; then return; fi
	attach_clear_stale
	"${device_kind}_parameters"
	parameters_check_tools
	lifecycle_phase=attach journal_live=1
	attach_start_journal
	resources
	run_await || fail "$reason"
	trap '' "${lifecycle_signals[@]}" # the last step is done or not done, and short
	lifecycle_phase=publish
	"${device_kind}_publish"
	lifecycle_phase=''
}

# attach_clear_stale
# What an attach that was killed has left is released before the next one begins.
attach_clear_stale() {
	[[ -e $journal_file ]] || return 0
	library release
	journal_read || return 0
	release_resources
	lifecycle_end_failed
	journal_clear
}

# attach_start_journal
# An empty file says already that this device is ours to detach.
attach_start_journal() {
	: >"$journal_file" || fail "Cannot write $journal_file; see whether that file system is full or read-only."
}
