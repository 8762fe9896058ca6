# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Waiting for what the kernel shows in sysfs.

# sysfs_await <seconds> <resource> <condition> [argument]...
# Until RESOURCE_is_CONDITION succeeds; fails at the deadline, or the run's.
# sysfs tells nobody of a change, and udev, which does, knows no name before
# there is one, and is not everywhere: so it is asked again, after a pause that
# starts no program.
sysfs_await() {
	local until=$((SECONDS + $1 < run_last ? SECONDS + $1 : run_last))
	run_await || fail "$reason"
	until "${2}_is_$3" "${@:4}"; do
		((SECONDS < until)) || return 1
		# The helper says nothing unasked.
		read -r -t 0.02 -u "$run_out" _ || :
	done
}

# sysfs_read <out-var> <file>
# Its first line; empty, and a failure, where there is none (any more).
sysfs_read() {
	printf -v "$1" ''
	read -r "$1" 2>/dev/null <"$2"
}
