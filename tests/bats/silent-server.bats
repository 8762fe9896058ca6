# SPDX-License-Identifier: LGPL-2.1-only
# A file server that does not answer: its own guests' disks get a sentence, and
# no call for another disk asks it anything.
# bats file_tags=waits

load ../lib/host
load ../lib/observe
load ../lib/fuse

setup() {
	fuse_host silent.img
	domain 2
	domain 3
	image local.img
}

teardown() {
	fuse_host_stop
}

# unasked add|remove <domid> <devid>
# The call succeeds, and opens neither guest 1's loop device nor a path of the server's.
# (The server's own log would have the requests of other tests, which see all loop devices.)
unasked() {
	libxl_environment vbd "$2" "$3"
	host strace -f -qq -o "$here/calls" -e trace=%file,ioctl env "${environment[@]}" "$scripts/block" "$1" </dev/null
	grep -q '/xen-hotplug", ' "$here/calls"
	if grep -F -e "\"$loop\"" -e "\"$here/view" "$here/calls"; then
		echo "block $1 asked the file server"
		return 1
	fi
}

# served_guest
# Guest 1 has an image that the server shows.
served_guest() {
	vbd 1 51712 "$here/view/silent.img"
	block_add 1 51712
	loop=$(store_get backend/vbd/1/51712/physical-device-path)
	host dd if="$loop" of=/dev/null count=1 iflag=direct status=none
}

@test "attach and detach of a local image ask no other image's server" {
	served_guest
	vbd 2 51712 "$image"
	unasked add 2 51712
	unasked remove 2 51712
}

@test "attach and detach of a block device ask no image's server" {
	served_guest
	phy_device
	vbd 2 51712 "$phy"
	unasked add 2 51712
	unasked remove 2 51712
}

@test "a detach without a journal, as after an update, asks no other image's server" {
	served_guest
	vbd 2 51712 "$image"
	block_add 2 51712
	store_set backend/vbd/2/51712/node "$(store_get backend/vbd/2/51712/physical-device-path)"
	rm "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-2-51712"
	unasked remove 2 51712
}

@test "a list of the users of a device does not stat what a mount calls its source" {
	served_guest
	mkdir "$here/tmpfs"
	host mount -t tmpfs "/dev/..$here/view/silent.img" "$here/tmpfs"
	phy_device
	vbd 2 51712 "$phy"
	unasked add 2 51712
	host umount "$here/tmpfs"
}

@test "while a server is stopped, other disks come and go" {
	served_guest
	vbd 2 51712 "$image"
	block_add 2 51712
	kill -STOP "$fuse_pid"
	block_remove 2 51712
	vbd 3 51712 "$image"
	block_add 3 51712
	run block_remove 1 51712
	((status == 1))
	[[ $output == *"The file server of '$here/view/silent.img' does not answer, so '$loop' is still attached to it; detach the disk again when it answers."* ]]
	vbd 2 51728 "$here/view/silent.img"
	run block_add 2 51728
	assert_refused backend/vbd/2/51728 error "Disk '$here/view/silent.img' cannot be opened, because its file server has not answered for 8 s; see whether it is running, then try again."
	kill -CONT "$fuse_pid"
	block_remove 1 51712
	block_remove 3 51712
	assert_residue_free
}

@test "a backing file on a stopped server gets a sentence that names the server" {
	qemu-img create -q -u -f qcow2 -F raw -b "$here/view/silent.img" "$here/top.qcow2" 1M
	vbd 2 51712 "file=$here/top.qcow2,backing=$here/view/silent.img"
	kill -STOP "$fuse_pid"
	run call block-qcow2 plan vbd 2 51712
	[[ $output == *"Disk '$here/view/silent.img' cannot be opened, because its file server has not answered for 8 s; see whether it is running, then try again."* ]]
}

@test "a stopped server whose mount is detached, or in another namespace, stops no other disk" {
	served_guest
	host umount --lazy "$here/view"
	kill -STOP "$fuse_pid"
	vbd 2 51712 "$image"
	block_add 2 51712
	block_remove 2 51712
}

@test "a server that has ended, and whose mount is detached, stops no other disk" {
	served_guest
	host umount --lazy "$here/view"
	kill -KILL "$fuse_pid"
	until_true gone "$fuse_pid"
	vbd 2 51712 "$image"
	block_add 2 51712
	block_remove 2 51712
	block_remove 1 51712
	assert_residue_free
}

@test "a hidden mount of a stopped server is not asked" {
	served_guest
	host mount -t tmpfs tmpfs "$here/view"
	vbd 2 51712 "$image"
	unasked add 2 51712
	host umount "$here/view"
}

@test "an image that a server shows is refused to a second guest on the same mount" {
	served_guest
	vbd 2 51712 "$here/view/silent.img"
	run block_add 2 51712
	assert_refused backend/vbd/2/51712 busy "by guest 'guest1'"
}
