# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A device is attached: what its script declares is acquired, then published.

# attach_device
# All of the device, or nothing of it.
attach_device() {
	store_load || fail "$reason"
	store_accept
	# An interface that goes online again repairs what has changed.
	if [[ $device_kind == block ]] && block_attached; then return; fi
	attach_clear_stale
	parameters_take
	parameters_check_tools "${parameters_tools[@]}"
	run_tell phase attach
	journal_start
	resources_use acquire
	"${device_kind}_publish"
}

# attach_clear_stale
# What an attach that was killed has left is released before the next one begins.
attach_clear_stale() {
	[[ -e $journal_file ]] || return 0
	library release
	release_journal
	journal_clear
}
