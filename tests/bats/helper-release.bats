#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug release: detaches what belongs to the device, and nothing else.
# bats file_tags=waits

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	device 3
	device 4
	image disk.img
}

teardown() {
	helper_teardown
}

release() {
	call release --device "vbd/$1/$devid" "${@:2}"
}

@test "the loop device is detached" {
	claim 3 w "$PWD/disk.img"
	release 3
	done_with "$dev"
	until_true no_loops
}

@test "release succeeds if there is nothing to detach" {
	release 3
	done_with
	claim 3 w "$PWD/disk.img"
	release 3
	release 3
	done_with
}

@test "the loop device of a deleted image is detached" {
	claim 3 w "$PWD/disk.img"
	rm disk.img
	release 3
	done_with "$dev"
	until_true no_loops
}

@test "a loop device of size 0 is detached" {
	claim 3 w "$PWD/disk.img"
	: >disk.img
	losetup --set-capacity "$dev"
	release 3
	done_with "$dev"
	until_true no_loops
}

@test "the loop devices of other guests stay" {
	image other.img
	claim 3 w "$PWD/disk.img"
	local first=$dev
	claim 4 w "$PWD/other.img"
	call release --device vbd/3/$((devid + 1))
	done_with
	call release --device "vbd3/3/$devid"
	done_with
	release 3
	done_with "$first"
	[[ $(loops) == "$dev" ]]
}

@test "with a token, only the loop device of that attach is detached" {
	claim 3 w "$PWD/disk.img" --token 1a
	release 3 --token 1b
	done_with
	[[ $(loops) == "$dev" ]]
	release 3 --token 1A
	done_with "$dev"
}

@test "release needs no store" {
	claim 3 w "$PWD/disk.img"
	store_stop
	release 3
	done_with "$dev"
}

@test "a loop device with a file other than in its tag is left alone" {
	image other.img
	claim 3 r "$PWD/disk.img"
	perl -e 'open my $loop, "+<", $ARGV[0] or die; open my $file, "<", "other.img" or die;
		ioctl $loop, 0x4C06, fileno($file) or die' "$dev" # LOOP_CHANGE_FD
	release 3
	done_with
	[[ $(loops) == "$dev" ]]
}

@test "an untagged loop device that older scripts recorded is detached" {
	local loop
	loop=$(losetup -f --show disk.img)
	release 3 --node "$loop" --target "$PWD/disk.img"
	done_with "$loop"
	until_true no_loops
}

@test "an untagged loop device whose image was deleted is detached" {
	local loop
	loop=$(losetup -f --show disk.img)
	rm disk.img
	release 3 --node "$loop" --target "$PWD/disk.img"
	done_with "$loop"
	until_true no_loops
}

@test "a recorded loop device that has another file by now is left alone" {
	local loop
	image other.img
	loop=$(losetup -f --show other.img)
	release 3 --node "$loop" --target "$PWD/disk.img"
	done_with
	release 3 --node "$loop" --target "$PWD/never.img"
	done_with
	[[ $(loops) == "$loop" ]]
}

@test "a recorded loop device that is tagged for another device is left alone" {
	claim 4 w "$PWD/disk.img"
	release 3 --node "$dev" --target "$PWD/disk.img"
	done_with
	[[ $(loops) == "$dev" ]]
}

@test "with a node, only the recorded one of the device's loop devices is detached" {
	image other.img
	claim 3 w "$PWD/disk.img"
	local recorded=$dev
	claim 3 w "$PWD/other.img" # as in another container of the same machine
	release 3 --node "$recorded" --target "$PWD/disk.img"
	done_with "$recorded"
	[[ $(loops) == "$dev" ]]
	release 3 --node "$dev" --target "$PWD/disk.img"
	done_with
	[[ $(loops) == "$dev" ]]
}

@test "release succeeds if the recorded node is gone or is no loop device" {
	local node
	for node in /dev/null "$PWD/disk.img" "$PWD/none" ''; do
		release 3 --node "$node" --target "$PWD/disk.img"
		done_with
	done
}

@test "a loop device in use is detached when its last user closes it" {
	claim 3 w "$PWD/disk.img"
	exec 7<"$dev"
	release 3
	done_with "$dev"
	exec 7<&-
	until_true no_loops
}

@test "claim, release and claim of one target succeed" {
	claim 3 w "$PWD/disk.img"
	release 3
	claim 4 w "$PWD/disk.img"
	((status == 0))
}
