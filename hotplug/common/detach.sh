# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Detach: releases all that a device holds, whichever scripts attached it.

library release

# detach_device
# Releases what the journal names; without one (a device that other scripts
# attached) what this script's resources would be by now.
detach_device() {
	local detach_status=0
	store_load || detach_status=$?
	((detach_status != lock_missing)) || fail "$reason"
	if [[ -e $journal_file ]]; then
		((detach_status == 0)) || complain "$reason"
		journal_read || fail "$reason"
		release_device
	else
		((detach_status == 0)) || fail "$reason"
		detach_collect
	fi
}

# detach_collect
# Nothing is written down: a failure here only means that there is nothing more
# to find, and what was found is released.
detach_collect() {
	failure_hide y
	trap detach_collected EXIT
	store_accept
	parameters_take
	resources_use collect
}

# detach_collected
# The exit trap of that. After a mistake of the script's, which bash or we have told,
# the run fails, but only when all is released.
detach_collected() {
	local detach_status=$?
	trap - EXIT
	failure_hide ''
	release_device
	((detach_status == 0)) || run_tell phase detach
}
