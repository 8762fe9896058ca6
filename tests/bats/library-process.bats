# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # code for the inner shell, which expands it
# Processes that outlive their script.

load ../lib/library

@test "a process that has ended is not root's, and has no start time" {
	library '
		library lib/process
		process_look "$$"
		[[ $process_start ]]
		process_is_root "$$"
		true &
		wait "$!"
		process_look "$!"
		[[ ! $process_start ]]
		! process_is_root "$!" || exit 3'
}
