# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Waits for changes in sysfs.

# sysfs_await <seconds> <resource> <condition> [argument]...
# Waits until RESOURCE_is_CONDITION succeeds; fails at the deadline, or at the
# run's. It polls, because sysfs does not announce changes, and udev is not
# everywhere and cannot wait for a name that does not exist yet.
sysfs_await() {
	local sysfs_until=$((SECONDS + $1))
	until "${2}_is_$3" "${@:4}"; do
		((SECONDS < sysfs_until)) && run_pause 0.02 || return 1
	done
}

# sysfs_read <out-var> <file>
# Its first line; empty, with a failure, if there is no such file (any more).
sysfs_read() {
	printf -v "$1" ''
	read -r "$1" 2>/dev/null <"$2"
}
