# SPDX-License-Identifier: LGPL-2.1-only
# block with real image files and loop devices: what it does besides what Xen's own
# does, which is in tests/conformance.

load ../lib/host
load ../lib/observe

setup() {
	host_start
	domain 1
	domain 2
	image disk.img
}

teardown() {
	host_stop
}

@test "a second remove of an image succeeds" {
	vbd 1 51712 "$image"
	block_add 1 51712
	block_remove 1 51712
	block_remove 1 51712
	assert_residue_free
}

@test "a name without a slash is a device under /dev" {
	phy_device
	vbd 1 51712 "${phy#/dev/}"
	block_add 1 51712
	assert_node backend/vbd/1/51712/physical-device-path "$phy"
}

@test "an image whose path has spaces, quotes, globs and a newline is attached" {
	image $'a "b" \'c\' $(touch pwned) ; * ?\n-d'
	vbd 1 51712 "$image"
	block_add 1 51712
	assert_node backend/vbd/1/51712/hotplug-status connected
	block_remove 1 51712
	[[ ! -e /pwned ]]
	assert_residue_free
}

@test "an image that the kernel attaches with the size 0 is refused" {
	vbd 1 51712 "$image"
	BROKEN=size LD_PRELOAD=$root/build/unit/broken.so run block_add 1 51712
	assert_refused backend/vbd/1/51712 error "with the size 0, because it could not ask the file server for it"
	assert_residue_free
}

@test "the refusal of an image names the guest that has it" {
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	block_add 1 51712
	run block_add 2 51712
	assert_refused backend/vbd/2/51712 busy "guest1"
}

@test "a device that is being detached is refused with a sentence" {
	vbd 1 51712 "$image" state 5
	run block_add 1 51712
	assert_refused backend/vbd/1/51712 error 'is being detached'
}

@test "a loop device that the node names but another owner has is left alone" {
	vbd 1 51712 "$image"
	image other.img
	loop=$(losetup --find --show "$image")
	nodes backend/vbd/1/51712 node "$loop"
	image=$BATS_TEST_TMPDIR/disk.img
	store_set backend/vbd/1/51712/params "$image"
	block_remove 1 51712
	losetup "$loop"
	losetup -d "$loop"
}

@test "plan prints what an attach would do" {
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	run call block plan vbd 1 51712
	[[ "$status" -eq 0 ]]
	[[ "$output" == "disk $image w" ]]
	[[ -z "$(loop_of "$image")" ]]
	block_add 1 51712
	run call block plan vbd 2 51712
	[[ "$status" -eq 1 ]]
	[[ $output == *'guest1'* ]]
}

@test "block refuses a device of the type vbd3, whose backend takes no block device" {
	run host env XENBUS_PATH=backend/vbd3/1/51712 "$scripts/block" add
	[[ "$status" -ne 0 ]]
	[[ "$output" == *'block is perhaps the wrong script for this device.' ]]
}
