#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug claim of files on overlayfs: a file and that of its layer are one disk.

# A file that is not found in the layers has a name of its own, since it may be any file of that
# name and size, also another test's.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	grep -qw overlay /proc/filesystems || skip 'this kernel has no overlayfs'
	device 3
	device 4
	mkdir lower upper work merged
}

teardown() {
	helper_teardown
}

# overlay [option]
# Mounts the three directories.
overlay() {
	mount -t overlay overlay -o "lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work${1:+,$1}" merged
}

# excluded <path> <path>
# Guest 3 gets the first file to write, and guest 4 is refused the second one; and the reverse.
excluded() {
	local first
	for first in "$1" "$2"; do
		claim 3 w "$first"
		((status == 0))
		claim 4 w "$([[ $first == "$1" ]] && echo "$2" || echo "$1")"
		ended 4 "*is in use, read-write, by guest 'guest3' (domain 3) as xvda; *"
		call release --device "vbd/3/$devid"
	done
}

@test "a file of the upper layer excludes the file on the overlay" {
	image upper/disk.img
	overlay
	excluded "$PWD/merged/disk.img" "$PWD/upper/disk.img"
	claim 3 w "$PWD/merged/disk.img"
	done_with "device=$dev" "physical-device=$(stat -c %t:%T "$dev")" kind=file "target=$PWD/upper/disk.img"
	claim 3 w "$PWD/merged/disk.img"
	[[ $(loops) == "$dev" ]]
}

@test "a file that a guest reads from a lower layer is refused to a writer of that layer" {
	image lower/disk.img
	overlay
	claim 3 r "$PWD/merged/disk.img"
	[[ ${reply[3]} == "target=$PWD/lower/disk.img" ]]
	claim 4 w "$PWD/lower/disk.img"
	ended 4 "*is in use, read-only, by guest 'guest3'*"
	claim 4 r "$PWD/lower/disk.img"
	((status == 0))
}

@test "a file that is copied up for a writer is apart from the lower one" {
	image lower/disk.img
	overlay
	claim 3 w "$PWD/merged/disk.img"
	[[ ${reply[3]} == "target=$PWD/upper/disk.img" ]]
	claim 4 w "$PWD/lower/disk.img"
	((status == 0))
	device 5
	claim 5 r "$PWD/upper/disk.img"
	((status == 4))
}

@test "an overlay on an overlay, and bind mounts of a part of it, lead to the same file" {
	mkdir upper/a upper2 work2 merged2 part
	image upper/a/disk.img
	overlay
	mount -t overlay overlay -o "lowerdir=$PWD/merged,upperdir=$PWD/upper2,workdir=$PWD/work2" merged2
	mount --bind merged2/a part
	claim 3 r "$PWD/part/disk.img"
	[[ ${reply[3]} == "target=$PWD/upper/a/disk.img" ]]
	claim 4 w "$PWD/upper/a/disk.img"
	((status == 4))
	claim 4 w "$PWD/part/disk.img"
	[[ ${reply[3]} == "target=$PWD/upper2/a/disk.img" ]]
}

@test "layers with colons, commas, blanks and backslashes in their names are found" {
	local odd=$'a:b,c d\\e\tf'
	mkdir "$odd"
	image "$odd/disk.img"
	mount -t overlay overlay -o "lowerdir=$PWD/lower:$PWD/"$'a\\:b\\,c d\\\\e\tf' merged
	claim 3 r "$PWD/merged/disk.img"
	((status == 0))
	claim 4 w "$PWD/$odd/disk.img"
	ended 4 "*by guest 'guest3'*"
}

@test "a loop device of the host over a file on an overlay keeps the layer's file from guests" {
	local loop
	image upper/disk.img
	overlay
	loop=$(losetup -f --show merged/disk.img)
	claim 3 w "$PWD/upper/disk.img"
	ended 4 "Disk '$PWD/upper/disk.img' is attached to '$loop' in this host; *"
	claim 3 w "$PWD/merged/disk.img"
	((status == 4))
	give 4 "$loop"
	claim 3 w "$PWD/upper/disk.img"
	ended 4 "*by guest 'guest4'*"
	claim 3 w "$loop"
	ended 4 "*by guest 'guest4'*"
}

@test "a file whose directory was renamed on the overlay is not taken for another one" {
	mkdir lower/old upper/new
	image "lower/old/$devid.img"
	image lower/other.img
	overlay redirect_dir=on
	mv merged/old merged/moved
	mkdir merged/old
	image "merged/old/$devid.img"
	claim 3 r "$PWD/merged/moved/$devid.img"
	((status == 0))
	[[ ${reply[3]} == "target=$PWD/merged/moved/$devid.img" ]]
	claim 4 w "$PWD/merged/old/$devid.img"
	[[ ${reply[3]} == "target=$PWD/upper/old/$devid.img" ]]
}

@test "a file of which only the attributes are in the upper layer is not taken for that" {
	image "lower/$devid.img"
	overlay metacopy=on
	chmod 600 "merged/$devid.img"
	[[ -e upper/$devid.img ]]
	claim 3 r "$PWD/merged/$devid.img"
	((status == 0))
	[[ ${reply[3]} == "target=$PWD/merged/$devid.img" ]]
	call release --device "vbd/3/$devid"
	claim 3 w "$PWD/merged/$devid.img"
	[[ ${reply[3]} == "target=$PWD/upper/$devid.img" ]]
}

@test "a file on an overlay whose layers are relative paths is attached as it is" {
	image "upper/$devid.img"
	mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
	claim 3 w "$PWD/merged/$devid.img"
	done_with "device=$dev" "physical-device=$(stat -c %t:%T "$dev")" kind=file "target=$PWD/merged/$devid.img"
}

@test "a file on an overlay of file systems on disks keeps the disk below from guests" {
	local below
	truncate -s 32M below.img
	below=$(losetup -f --show below.img)
	mkfs.ext4 -q "$below"
	mount "$below" upper
	mkdir upper/upper upper/work
	image upper/upper/disk.img
	mount -t overlay overlay -o "lowerdir=$PWD/lower,upperdir=$PWD/upper/upper,workdir=$PWD/upper/work" merged
	give 4 "$below"
	claim 3 w "$PWD/merged/disk.img"
	ended 4 "*lies on a disk that is in use, read-write, by guest 'guest4'*"
}

@test "a file of the same name and size as one on an overlay with known layers is apart" {
	mkdir other
	image upper/disk.img
	image other/disk.img
	overlay
	losetup -f merged/disk.img
	mount -t tmpfs tmpfs other
	image other/disk.img
	claim 3 w "$PWD/other/disk.img"
	((status == 0))
}
