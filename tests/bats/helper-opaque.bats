#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug claim of files on file systems that do not tell where their bytes are. bindfs
# stands for all of them.

load ../lib/fuse

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	device 3
	device 4
	mkdir -p real/vm1 real/vm2
	image real/vm1/disk.img
	image real/vm2/disk.img
	fuse_mount "$PWD/real" "$PWD/view"
}

teardown() {
	local status=0
	helper_teardown || status=1
	fuse_stop
	return "$status"
}

# claimed <path>
# Guest 3 gets it.
claimed() {
	claim 3 w "$1"
	((status == 0)) || {
		echo "$error"
		return 1
	}
}

@test "a file and what a file server shows of it are not given to two guests" {
	claimed "$PWD/view/vm1/disk.img"
	claim 4 w "$PWD/real/vm1/disk.img"
	ended 4 "Disk '$PWD/real/vm1/disk.img' may be '$PWD/view/vm1/disk.img' on '/dev/loop"*"' (same name and size; one is on NFS, FUSE or the like); detach that one first, or share it deliberately with script=block-shared (mode=w!)."
	call release --device "vbd/3/$devid"
	claimed "$PWD/real/vm1/disk.img"
	claim 4 w "$PWD/view/vm1/disk.img"
	ended 4 "*may be '$PWD/real/vm1/disk.img'*"
	claim 4 r "$PWD/view/vm1/disk.img"
	((status == 4))
	claim 4 w! "$PWD/view/vm1/disk.img"
	((status == 0))
}

@test "claims of one file under two names that nothing tells to be one's wait for each other" {
	image real/vm1/other.img
	exec 8<>lock
	claim 3 w "$PWD/view/vm1/disk.img" --lock 8
	((status == 0))
	claim 4 w "$PWD/real/vm1/disk.img" --lock 9 --wait 0.2
	ended 5 "Disk '$PWD/real/vm1/disk.img' has been locked by process * for 0.2 s;*"
	claim 4 w "$PWD/real/vm1/other.img" --lock 9 --wait 0.2
	((status == 0))
	exec 8>&-
	claim 4 w "$PWD/real/vm1/disk.img" --lock 9 --wait "$generous"
	((status == 4))
}

@test "one file through two mounts of a file server, of which one shows a part, is not given to two guests" {
	fuse_mount "$PWD/real/vm1" "$PWD/part"
	claimed "$PWD/view/vm1/disk.img"
	claim 4 w "$PWD/part/disk.img"
	ended 4 "*may be '$PWD/view/vm1/disk.img'*"
}

@test "a deleted file is still compared by its name" {
	claimed "$PWD/real/vm1/disk.img"
	rm real/vm1/disk.img
	image real/vm1/disk.img
	claim 4 w "$PWD/view/vm1/disk.img"
	((status == 4))
}

@test "files of other directories, names or sizes are apart" {
	claimed "$PWD/view/vm1/disk.img"
	claim 4 w "$PWD/view/vm2/disk.img"
	((status == 0))
	call release --device "vbd/4/$devid"
	claim 4 w "$PWD/real/vm2/disk.img"
	((status == 0))
	call release --device "vbd/4/$devid"
	truncate -s 5M real/vm2/disk.img
	mv real/vm2/disk.img real/vm2/vm1disk.img
	claim 4 w "$PWD/real/vm2/vm1disk.img"
	((status == 0))
}

@test "images of one name and size that are exported one by one are apart" {
	fuse_mount "$PWD/real/vm1" "$PWD/one"
	fuse_mount "$PWD/real/vm2" "$PWD/two"
	claimed "$PWD/one/disk.img"
	claim 4 w "$PWD/two/disk.img"
	((status == 0))
}

@test "the same file on the same mount is known by its inode, as ever" {
	ln real/vm1/disk.img real/vm1/hard.img
	claimed "$PWD/view/vm1/disk.img"
	claim 4 w "$PWD/view/vm1/disk.img"
	ended 4 "*is in use, read-write, by guest 'guest3'*"
	claim 3 w "$PWD/view/vm1/disk.img"
	((status == 0))
}

@test "readers share what may be one file" {
	claim 3 r "$PWD/view/vm1/disk.img"
	claim 4 r "$PWD/real/vm1/disk.img"
	((status == 0))
}

@test "the only image on a file server is attached with a warning in the log" {
	claimed "$PWD/view/vm1/disk.img"
	grep -qF "warning: The image '$PWD/view/vm1/disk.img' is on a file system ('fuse') that does not tell what is below it; its users on other hosts and through other mounts are not seen." log
	: >log
	claim 4 w "$PWD/real/vm2/disk.img"
	[[ ! -s log ]]
}

@test "a file on an overlay whose layers are not found is not given to two guests" {
	mkdir upper work merged lower
	image "upper/$devid.img"
	mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
	claimed "$PWD/merged/$devid.img"
	claim 4 w "$PWD/upper/$devid.img"
	ended 4 "*may be '$PWD/merged/$devid.img'*"
}

@test "a file in a subvolume of btrfs keeps the disk below from other guests, and other files apart" {
	local below
	grep -qw btrfs /proc/filesystems || skip 'this kernel has no btrfs'
	truncate -s 128M below.img
	mkfs.btrfs -q below.img
	below=$(losetup -f --show below.img)
	mkdir fs
	mount "$below" fs
	btrfs -q subvolume create fs/one
	btrfs -q subvolume create fs/two
	image fs/one/disk.img
	image fs/two/disk.img
	claimed "$PWD/fs/one/disk.img"
	claim 4 w "$PWD/fs/two/disk.img"
	((status == 0))
	call release --device "vbd/4/$devid"
	claim 4 w "$PWD/below.img"
	ended 4 "*is in use, read-write, by guest 'guest3'*"
	device 5
	give 5 "$below"
	claim 4 w "$PWD/fs/two/disk.img"
	ended 4 "*lies on a disk that is in use, read-write, by guest 'guest5'*"
}

@test "a loop device over an overlay of another mount namespace keeps the layer's file from guests" {
	local loop
	mkdir upper work merged lower
	image "upper/$devid.img"
	# shellcheck disable=SC2016 # the inner shell expands
	loop=$(unshare --mount bash -c 'mount -t overlay overlay -o "lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work" merged &&
		losetup -f --show "merged/$1.img"' - "$devid")
	claim 3 w "$PWD/upper/$devid.img"
	losetup -d "$loop"
	ended 4 "Disk '$PWD/upper/$devid.img' may be '/$devid.img' on '$loop' (same name and size; *"
	claimed "$PWD/upper/$devid.img"
}

@test "each member of a btrfs that is mounted is said to be mounted, whichever the mount names" {
	local one other member
	grep -qw btrfs /proc/filesystems || skip 'this kernel has no btrfs'
	truncate -s 128M one.img other.img
	one=$(losetup -f --show one.img)
	other=$(losetup -f --show other.img)
	mkfs.btrfs -q "$one" "$other"
	mkdir fs
	mount -o "device=$other" "$one" fs
	for member in "$one" "$other"; do
		claim 3 w "$member"
		ended 4 "Disk '$member' is mounted on '$PWD/fs' in this host; unmount it there first."
	done
}
