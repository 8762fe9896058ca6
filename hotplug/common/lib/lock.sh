# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Locks, in addition to the device's: what several devices share is read, changed and
# noted in the journal under one of them. They are bytes of one file, which the
# helper has open as long as it runs (helpers/lock.h).

lock_descriptor=4 # the helper's, helpers/call/script.h
lock_wait=12      # seconds
lock_missing=6    # the helper's status where a lock was not taken

# lock <name>
# Fails with reason set where it was not taken: another script has it, or there
# is no lock file.
lock() {
	helper lock --wait "$lock_wait" "$lock_descriptor:$1"
}

# unlock <name>
unlock() {
	helper unlock "$lock_descriptor:$1" || fail "$reason"
}
