# SPDX-License-Identifier: LGPL-2.1-only
# block, as libxl calls it, and what blkback, QEMU and pygrub find after that:
# what Xen's own script does, and any other has to do.

load ../lib/host
load ../lib/observe

setup() {
	driver_domain=$BATS_TEST_TMPDIR/store/domain7
	host_start --listen "$driver_domain:7"
	domain 1
	domain 2
	image disk.img
}

teardown() {
	host_stop
}

# add_disk <domid> <devid>
# A test of what follows must not begin without it.
add_disk() {
	block_add "$1" "$2" && assert_node "backend/vbd/$1/$2/hotplug-status" connected
}

# assert_published <path> <block device>
# The nodes that make the backends connect to it.
assert_published() {
	assert_node "$1/physical-device" "$(stat -c %t:%T "$2")"
	assert_node "$1/physical-device-path" "$2"
	assert_node "$1/hotplug-status" connected
}

@test "contract: add of an image file publishes a loop device over it" {
	vbd 1 51712 "$image"
	add_disk 1 51712
	assert_published backend/vbd/1/51712 "$(loop_of "$image")"
}

@test "contract: add of an image file writes four nodes, and no other" {
	local loop path=/local/domain/0/backend/vbd/1/51712
	vbd 1 51712 "$image"
	nodes_remember
	block_add 1 51712
	loop=$(loop_of "$image")
	[[ "$(nodes_changed | sort)" == "$path/hotplug-status = \"connected\"
$path/node = \"$loop\"
$path/physical-device = \"$(stat -c %t:%T "$loop")\"
$path/physical-device-path = \"$loop\"" ]]
}

@test "contract: connected is the last node that add writes" {
	vbd 1 51712 "$image"
	add_disk 1 51712
	[[ "$(last_written)" == backend/vbd/1/51712/hotplug-status ]]
}

@test "contract: add that succeeds prints nothing" {
	vbd 1 51712 "$image"
	run block_add 1 51712
	[[ "$status" -eq 0 ]]
	[[ -z "$output" ]]
}

@test "contract: remove detaches the loop device and leaves nothing" {
	vbd 1 51712 "$image"
	add_disk 1 51712
	block_remove 1 51712
	assert_residue_free
}

@test "contract: remove writes no node" {
	vbd 1 51712 "$image"
	add_disk 1 51712
	nodes_remember
	block_remove 1 51712
	assert_at_most_gone backend/vbd/1/51712 node physical-device physical-device-path hotplug-status
}

@test "contract: remove succeeds after the guest's own nodes were deleted" {
	vbd 1 51712 "$image"
	add_disk 1 51712
	nodes backend/vbd/1/51712 online 0 state 5
	xenstore-rm /local/domain/1
	block_remove 1 51712
	assert_residue_free
}

@test "contract: add of a block device publishes its number, and remove leaves the device alone" {
	phy_device
	vbd 1 51712 "$phy"
	add_disk 1 51712
	assert_published backend/vbd/1/51712 "$phy"
	block_remove 1 51712
	losetup "$phy"
	assert_residue_free
}

@test "contract: remove of a block device succeeds twice, and without an add" {
	phy_device
	vbd 1 51712 "$phy"
	block_remove 1 51712
	add_disk 1 51712
	block_remove 1 51712
	block_remove 1 51712
	losetup "$phy"
}

@test "contract: remove of a block device succeeds after its name was deleted" {
	phy_device
	ln -s "$phy" "$BATS_TEST_TMPDIR/link"
	vbd 1 51712 "$BATS_TEST_TMPDIR/link"
	add_disk 1 51712
	rm "$BATS_TEST_TMPDIR/link"
	block_remove 1 51712
	assert_residue_free
}

@test "contract: a symlink is followed to the image" {
	ln -s disk.img "$BATS_TEST_TMPDIR/link"
	vbd 1 51712 "$BATS_TEST_TMPDIR/link"
	add_disk 1 51712
	[[ "$(loop_of "$image")" ]]
	block_remove 1 51712
	assert_residue_free
}

@test "contract: a symlink is followed to the block device, whose own path is published" {
	phy_device
	ln -s "$phy" "$BATS_TEST_TMPDIR/link"
	vbd 1 51712 "$BATS_TEST_TMPDIR/link"
	add_disk 1 51712
	assert_published backend/vbd/1/51712 "$phy"
}

@test "contract: mode w makes a writable loop device, and mode r a read-only one" {
	vbd 1 51712 "$image" mode w
	add_disk 1 51712
	[[ "$(read_only "$image")" == 0 ]]
	image other.img
	vbd 1 51728 "$image" mode r
	add_disk 1 51728
	[[ "$(read_only "$image")" == 1 ]]
}

@test "contract: the old spellings of the modes are accepted" {
	local mode
	for mode in ro:1 rw:0 'rw!:0' 'w!:0'; do
		xenstore-rm backend/vbd/1/51712 || : # there is none yet
		vbd 1 51712 "$image" mode "${mode%:*}"
		block_add 1 51712
		[[ "$(read_only "$image")" == "${mode#*:}" ]]
		block_remove 1 51712
	done
}

@test "contract: a read-only image is attached read-only" {
	chmod 0444 "$image"
	vbd 1 51712 "$image" mode r
	add_disk 1 51712
	assert_published backend/vbd/1/51712 "$(loop_of "$image")"
}

@test "contract: a read-only image is refused to a writer" {
	chmod 0444 "$image"
	vbd 1 51712 "$image" mode w
	run block_add 1 51712
	[[ "$status" -eq 1 ]]
	[[ "$(store_get backend/vbd/1/51712/hotplug-status)" == @(error|busy) ]]
	[[ "$(store_get backend/vbd/1/51712/hotplug-error)" == *read-only* ]]
	run ! store_has backend/vbd/1/51712/physical-device
	assert_residue_free
}

@test "contract: two guests that only read share an image" {
	vbd 1 51712 "$image" mode r
	vbd 2 51712 "$image" mode r
	add_disk 1 51712
	add_disk 2 51712
	assert_node backend/vbd/2/51712/hotplug-status connected
}

@test "contract: two guests that only read share a block device" {
	phy_device
	vbd 1 51712 "$phy" mode r
	vbd 2 51712 "$phy" mode r
	add_disk 1 51712
	add_disk 2 51712
	assert_published backend/vbd/2/51712 "$phy"
}

@test "contract: a second writer of a block device is refused as busy" {
	phy_device
	vbd 1 51712 "$phy"
	vbd 2 51712 "$phy"
	add_disk 1 51712
	run block_add 2 51712
	assert_failed backend/vbd/2/51712 busy "$phy"
}

@test "contract: a reader and a writer do not share a block device, in either order" {
	phy_device
	vbd 1 51712 "$phy" mode r
	vbd 2 51712 "$phy" mode w
	add_disk 1 51712
	run block_add 2 51712
	assert_failed backend/vbd/2/51712 busy "$phy"
	block_remove 1 51712
	xenstore-rm backend/vbd/1
	add_disk 2 51712
	vbd 1 51712 "$phy" mode r
	run block_add 1 51712
	assert_failed backend/vbd/1/51712 busy "$phy"
}

@test "contract: a block device that this host has mounted is busy" {
	phy_device
	mkfs.ext4 -q "$phy"
	mkdir "$BATS_TEST_TMPDIR/mnt"
	host mount "$phy" "$BATS_TEST_TMPDIR/mnt"
	vbd 1 51712 "$phy"
	run block_add 1 51712
	assert_failed backend/vbd/1/51712 busy "$phy"
	host umount "$BATS_TEST_TMPDIR/mnt"
	add_disk 1 51712
	assert_published backend/vbd/1/51712 "$phy"
}

@test "contract: a block device that this host has mounted read-only is attached read-only" {
	phy_device
	mkfs.ext4 -q "$phy"
	mkdir "$BATS_TEST_TMPDIR/mnt"
	host mount -o ro,noload "$phy" "$BATS_TEST_TMPDIR/mnt"
	vbd 1 51712 "$phy" mode r
	add_disk 1 51712
	assert_published backend/vbd/1/51712 "$phy"
	host umount "$BATS_TEST_TMPDIR/mnt"
}

@test "contract: w! attaches the image of another guest" {
	vbd 1 51712 "$image"
	vbd 2 51712 "$image" mode 'w!'
	add_disk 1 51712
	add_disk 2 51712
	assert_node backend/vbd/2/51712/hotplug-status connected
}

@test "contract: w! attaches the block device of another guest" {
	phy_device
	vbd 1 51712 "$phy"
	vbd 2 51712 "$phy" mode 'w!'
	add_disk 1 51712
	add_disk 2 51712
	assert_published backend/vbd/2/51712 "$phy"
}

@test "contract: a guest and its stub domain share an image" {
	store_set /local/domain/2/target 1
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	add_disk 1 51712
	add_disk 2 51712
	assert_node backend/vbd/2/51712/hotplug-status connected
}

@test "contract: a guest and its stub domain share a block device" {
	phy_device
	store_set /local/domain/2/target 1
	vbd 1 51712 "$phy"
	vbd 2 51712 "$phy"
	add_disk 1 51712
	add_disk 2 51712
	assert_published backend/vbd/2/51712 "$phy"
}

@test "contract: both ends of a migration on one host share an image" {
	domain 1 aaaa
	domain 2 aaaa
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	add_disk 1 51712
	add_disk 2 51712
	block_remove 1 51712
	[[ "$(loop_of "$image")" ]]
	[[ "$(loop_of "$image")" == "$(store_get backend/vbd/2/51712/physical-device-path)" ]]
}

@test "contract: both ends of a migration on one host share a block device" {
	phy_device
	domain 1 aaaa
	domain 2 aaaa
	vbd 1 51712 "$phy"
	vbd 2 51712 "$phy"
	add_disk 1 51712
	add_disk 2 51712
	assert_published backend/vbd/2/51712 "$phy"
}

@test "contract: a guest's attach succeeds after pygrub's attach to domain 0" {
	vbd 0 51712 "$image"
	vbd 1 51712 "$image"
	add_disk 0 51712
	block_remove 0 51712
	add_disk 1 51712
	assert_published backend/vbd/1/51712 "$(loop_of "$image")"
}

@test "contract: add, remove and add of one device succeed" {
	vbd 1 51712 "$image"
	add_disk 1 51712
	block_remove 1 51712
	xenstore-rm backend/vbd/1
	vbd 1 51712 "$image"
	add_disk 1 51712
	assert_published backend/vbd/1/51712 "$(loop_of "$image")"
}

@test "contract: a second add changes nothing" {
	local loop
	vbd 1 51712 "$image"
	add_disk 1 51712
	loop=$(loop_of "$image")
	nodes_remember
	block_add 1 51712
	[[ "$(loop_of "$image")" == "$loop" ]]
	assert_changed
}

@test "contract: two disks of one guest are attached and detached independently" {
	local first=$image
	vbd 1 51712 "$first"
	image other.img
	vbd 1 51728 "$image"
	add_disk 1 51712
	add_disk 1 51728
	block_remove 1 51712
	[[ -z "$(loop_of "$first")" ]]
	assert_published backend/vbd/1/51728 "$(loop_of "$image")"
}

@test "contract: disks of several guests are attached at the same time" {
	local guest calls=()
	for guest in 1 2 3 4; do
		image "disk$guest.img"
		vbd "$guest" 51712 "$image"
	done
	for guest in 1 2 3 4; do
		block_add "$guest" 51712 3>&- &
		calls+=($!)
	done
	for guest in 1 2 3 4; do
		wait "${calls[guest - 1]}"
		assert_published "backend/vbd/$guest/51712" "$(loop_of "$BATS_TEST_TMPDIR/disk$guest.img")"
	done
}

@test "contract: an image is not attached to a device that is being detached" {
	vbd 1 51712 "$image" state 5
	run block_add 1 51712
	assert_failed backend/vbd/1/51712 error 'state'
	assert_residue_free
}

@test "contract: add fails for a target that does not exist, and does not publish it" {
	vbd 1 51712 "$BATS_TEST_TMPDIR/missing.img"
	run block_add 1 51712
	[[ "$status" -eq 1 ]]
	run ! store_has backend/vbd/1/51712/physical-device
	assert_residue_free
}

@test "contract: an add that failed can be tried again" {
	vbd 1 51712 "$BATS_TEST_TMPDIR/later.img"
	run block_add 1 51712
	[[ "$status" -eq 1 ]]
	image later.img
	add_disk 1 51712
	assert_published backend/vbd/1/51712 "$(loop_of "$image")"
}

@test "contract: an unknown verb for a disk fails without an attach" {
	vbd 1 51712 "$image"
	run call block online vbd 1 51712
	[[ "$status" -eq 1 ]]
	run ! store_has backend/vbd/1/51712/physical-device
	assert_residue_free
}

@test "contract: a disk that other scripts attached is detached by its nodes" {
	vbd 1 51712 "$image"
	loop=$(losetup --find --show "$image")
	nodes backend/vbd/1/51712 node "$loop" physical-device "$(stat -c %t:%T "$loop")" \
		online 0 state 6 # as libxl has them at a detach
	block_remove 1 51712
	assert_residue_free
}

@test "contract: in a driver domain, a disk's nodes are in the domain's own directory" {
	XENSTORED_PATH=$driver_domain vbd 1 51712 "$image"
	XENSTORED_PATH=$driver_domain block_add 1 51712
	assert_published /local/domain/7/backend/vbd/1/51712 "$(loop_of "$image")"
	run ! store_has /local/domain/0/backend/vbd/1/51712
	XENSTORED_PATH=$driver_domain block_remove 1 51712
	assert_residue_free
}

@test "contract: disks that are attached and detached leave nothing in /run" {
	local before
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	add_disk 1 51712
	block_remove 1 51712
	before=$(host find /run -mindepth 1)
	xenstore-rm backend/vbd/1
	add_disk 2 51712
	block_remove 2 51712
	[[ "$(host find /run -mindepth 1)" == "$before" ]]
}
