# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An attach that meets another device's journal, which keeps it from something: that
# device may be stale (gc.sh).

# stale_released <name of a journal>
# Releases the device if it is stale; a plan only looks. Fails if it is not, or if
# something is left of it.
stale_released() {
	local options=()
	[[ $action != plan ]] || options=(--dry-run)
	helper gc "${options[@]}" -- "${1//-//}" || return
	[[ $action == plan && ${run_reply[0]-} == *': would be released'* || ! -e $journal_directory/$1 ]]
}
