# SPDX-License-Identifier: LGPL-2.1-only
# block with real image files and loop devices: what libxl, blkback and QEMU see.

load ../lib/host

setup() {
	host_start
	domain 1
	domain 2
	image disk.img
}

teardown() {
	host_stop
}

# loop_of <image>
loop_of() {
	losetup --noheadings --output NAME --associated "$1" | tr -d ' '
}

@test "add of an image file publishes a loop device over it" {
	vbd 1 51712 "$image"
	block_add 1 51712
	loop=$(loop_of "$image")
	assert_node backend/vbd/1/51712/physical-device "$(stat -c %t:%T "$loop")"
	assert_node backend/vbd/1/51712/physical-device-path "$loop"
	assert_node backend/vbd/1/51712/hotplug-status connected
}

@test "remove detaches the loop device and leaves nothing" {
	vbd 1 51712 "$image"
	block_add 1 51712
	block_remove 1 51712
	assert_residue_free
}

@test "remove again, and remove of what was never added, succeed" {
	vbd 1 51712 "$image"
	block_remove 1 51712
	block_add 1 51712
	block_remove 1 51712
	block_remove 1 51712
	assert_residue_free
}

@test "add of a block device publishes its own number, and remove leaves it be" {
	phy_device
	vbd 1 51712 "$phy"
	block_add 1 51712
	assert_node backend/vbd/1/51712/physical-device "$(stat -c %t:%T "$phy")"
	assert_node backend/vbd/1/51712/physical-device-path "$phy"
	block_remove 1 51712
	losetup "$phy"
	assert_residue_free
}

@test "a name without a slash is a device under /dev" {
	phy_device
	vbd 1 51712 "${phy#/dev/}"
	block_add 1 51712
	assert_node backend/vbd/1/51712/physical-device-path "$phy"
}

@test "a symlink is followed to the image" {
	ln -s disk.img "$BATS_TEST_TMPDIR/link"
	vbd 1 51712 "$BATS_TEST_TMPDIR/link"
	block_add 1 51712
	[[ "$(loop_of "$image")" ]]
	block_remove 1 51712
	assert_residue_free
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

@test "mode r makes a loop device that cannot be written" {
	vbd 1 51712 "$image" mode r
	block_add 1 51712
	[[ "$(losetup --noheadings --output RO "$(loop_of "$image")" | tr -d ' ')" == 1 ]]
}

@test "the old spellings of the modes are understood" {
	local mode read_only
	for mode in ro:1 rw:0 'rw!:0' 'w!:0'; do
		vbd 1 51712 "$image" mode "${mode%:*}"
		block_add 1 51712
		read_only=$(losetup --noheadings --output RO "$(loop_of "$image")" | tr -d ' ')
		[[ "$read_only" == "${mode#*:}" ]]
		block_remove 1 51712
		store_set backend/vbd/1/51712/mode x
		host xenstore-rm backend/vbd/1/51712
	done
}

@test "two guests who only read share an image" {
	vbd 1 51712 "$image" mode r
	vbd 2 51712 "$image" mode r
	block_add 1 51712
	block_add 2 51712
	assert_node backend/vbd/2/51712/hotplug-status connected
}

@test "a reader and a writer do not share an image, whoever comes first" {
	vbd 1 51712 "$image" mode r
	vbd 2 51712 "$image" mode w
	block_add 1 51712
	run block_add 2 51712
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/2/51712 busy "guest1"
	block_remove 1 51712
	block_add 2 51712
	vbd 1 51728 "$image" mode r
	run block_add 1 51728
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/1/51728 busy "guest2"
}

@test "w! takes what another guest has" {
	vbd 1 51712 "$image"
	vbd 2 51712 "$image" mode 'w!'
	block_add 1 51712
	block_add 2 51712
	assert_node backend/vbd/2/51712/hotplug-status connected
}

@test "a guest and its stub domain have one image" {
	store_set /local/domain/2/target 1
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	block_add 1 51712
	block_add 2 51712
	assert_node backend/vbd/2/51712/hotplug-status connected
}

@test "both ends of a migration on one host have one image" {
	domain 2 0000-1
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	block_add 1 51712
	block_add 2 51712
	block_remove 1 51712
	[[ "$(loop_of "$image")" == "$(store_get backend/vbd/2/51712/physical-device-path)" ]]
}

@test "pygrub's attach to domain 0, and then the guest's" {
	vbd 0 51712 "$image"
	vbd 1 51712 "$image"
	block_add 0 51712
	block_remove 0 51712
	block_add 1 51712
	assert_node backend/vbd/1/51712/hotplug-status connected
}

@test "add again finds all done and changes nothing" {
	vbd 1 51712 "$image"
	block_add 1 51712
	loop=$(loop_of "$image")
	block_add 1 51712
	[[ "$(loop_of "$image")" == "$loop" ]]
}

@test "a device that is being detached is not attached any more" {
	vbd 1 51712 "$image" state 5
	run block_add 1 51712
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/1/51712 error 'is being detached'
	assert_residue_free
}

@test "a disk that other scripts attached is detached by its nodes" {
	vbd 1 51712 "$image"
	loop=$(losetup --find --show "$image")
	nodes backend/vbd/1/51712 node "$loop" physical-device "$(stat -c %t:%T "$loop")"
	block_remove 1 51712
	assert_residue_free
}

@test "a node that names somebody else's loop device is not believed" {
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

@test "plan says what would be done, and whether the disk is free" {
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
