# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An attach that meets another device's journal, which keeps it from something: that
# device may be stale (undo.sh).

stale_kept='' # set by stale_released: for which stale device something is held, and what to do

# stale_released <name of a journal>
# Releases the device if it is stale; a plan only looks. Fails if it is not, with
# stale_kept empty, or if something is left of it.
stale_released() {
	local options=() stale_status=0
	stale_kept=''
	[[ $action != plan ]] || options=(--judge-only)
	helper stale "${options[@]}" -- "${1//-//}" || stale_status=$?
	# 4: it is not stale (xen-hotplug stale --help).
	((stale_status == 0 || stale_status == 4)) ||
		stale_kept="is still held for ${1//-//}, which no longer exists; run 'xen-hotplug gc', which says what keeps it"
	return "$stale_status"
}
