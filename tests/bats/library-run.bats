# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # code for the inner shell, which expands it
# Waiting without a program.

load ../lib/library

@test "a pause starts no program, reads nothing, and ends with the run's time" {
	mkfifo "$BATS_TEST_TMPDIR/never"
	library '
		PATH=/nowhere
		exec {run_socket}<>"$BATS_TEST_TMPDIR/never"
		reason="As it was."
		run_pause 0.01
		run_last=0
		! run_pause 1000 || exit 3
		[[ $reason == "As it was." ]]'
}

@test "a condition in sysfs is not awaited longer than the run's time" {
	mkfifo "$BATS_TEST_TMPDIR/never"
	library '
		library lib/sysfs
		exec {run_socket}<>"$BATS_TEST_TMPDIR/never"
		asked=0
		some_is_there() { ((++asked == 3)); }
		sysfs_await 1000 some there
		run_last=0
		! sysfs_await 1000 some there || exit 3
		((asked == 4))'
}
