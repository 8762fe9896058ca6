#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# The invariant of disks, by model (tests/model), on a kernel that makes partitions and mappings.

load ../lib/xen.bash
bats_require_minimum_version 1.5.0

# When a program that could write closes a disk, udev has the kernel read its partition table anew.
# The model's disks have none: their partitions would be gone.
unwatched=/run/udev/rules.d/99-xen-hotplug-model.rules

setup() {
	mkdir -p "${unwatched%/*}"
	echo 'SUBSYSTEM=="block", KERNEL=="loop*", OPTIONS+="nowatch"' >"$unwatched"
	udevadm control --reload
}

teardown() {
	rm "$unwatched"
	udevadm control --reload
	e2e_teardown
}

# In dom0 a schedule takes ten seconds, so these are the same ones each time; make model draws others.
@test "schedules on real partitions and mappings: no two guests hold the same bytes, nothing is left" {
	run env PATH="$E2E_PATH" "$E2E_SOURCE/tests/model/run" --seed 917642004 --schedules 4 3>&-
	printf '%s\n' "$output"
	[[ "$status" -eq 0 && $output != *'this kernel makes no'* ]]
	[[ $(dmsetup ls) != *xen-hotplug-model* ]]
}
