#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug identify: what a disk is, and who uses it.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	device 3
	image disk.img
	printf -v file 'file %x:%x' "$(stat -c %d disk.img)" "$(stat -c %i disk.img)"
}

teardown() {
	helper_teardown
}

@test "an image file is one extent up to its end" {
	ln -s disk.img link
	call identify "$PWD/link"
	done_with "target=$PWD/disk.img" kind=file "extent=$file 0 -" readonly=0
	chmod a-w disk.img
	call identify "$PWD/disk.img"
	[[ ${reply[3]} == readonly=1 ]]
}

@test "a loop device is a range of its file, through several levels of loop devices" {
	local loop upper
	loop=$(losetup -f --show -o 4096 --sizelimit 1048576 disk.img)
	call identify "$loop"
	done_with "target=$loop" kind=device "physical-device=$(stat -c %t:%T "$loop")" \
		"extent=$file 4096 1048576" readonly=0
	upper=$(losetup -f --show -r -o 512 "$loop")
	call identify "$upper"
	[[ ${reply[3]} == "extent=$file 4608 1048064" && ${reply[4]} == readonly=1 ]]
}

@test "a partition is a range of its whole disk" {
	local loop
	loop=$(losetup -f --show -P disk.img)
	addpart "$loop" 1 2048 2048 2>err || skip "this kernel has no partitions on loop devices: $(<err)"
	call identify "${loop}p1"
	[[ ${reply[3]} == "extent=$file 1048576 1048576" ]]
}

@test "users are listed in words" {
	claim 3 w "$PWD/disk.img"
	call identify "$PWD/disk.img"
	[[ ${reply[4]} == "user=is in use, read-write, by guest 'guest3' (domain 3) as xvda" ]]
	losetup -f disk.img
	call identify "$PWD/disk.img"
	((status == 0 && ${#reply[@]} == 6))
	[[ ${reply[5]} == "user=is attached to '/dev/loop"* ]]
}
