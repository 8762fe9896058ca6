#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug claim: no two guests get the same bytes by accident, by whatever names.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	device 3
	device 4
	image disk.img
}

# teardown
# What a test that failed has left waiting ends; it may have a disk open or mounted.
teardown() {
	[[ ! ${holder-} ]] || holder_ends
	helper_teardown
}

# holder_ends
# Ends the process that holds something for a test, if it has not ended.
holder_ends() {
	{ kill "$holder" && wait "$holder"; } 2>/dev/null || :
	holder=''
}

# losetup prints the loop device: an attach that is not ours.
attach() {
	losetup -f --show "$@"
}

# partitions <loop>
# Makes two partitions on it, of 1 MiB each, from 1 MiB on. Skips where the kernel
# cannot have them.
partitions() {
	addpart "$1" 1 2048 2048 2>err || skip "this kernel has no partitions on loop devices: $(<err)"
	addpart "$1" 2 4096 2048
	[[ -b ${1}p2 ]]
}

# without_partitions <loop>
# Removes them, once they are in use no more. The kernel could leave them to the next file of a loop
# device that is detached while they are mounted.
without_partitions() {
	until_true delpart "$1" 1
	until_true delpart "$1" 2
}

@test "an image file gets a loop device with the guest's tag" {
	claim 3 w "$PWD/disk.img"
	done_with "device=$dev" "physical-device=$(stat -c %t:%T "$dev")" kind=file "target=$PWD/disk.img"
	[[ $(losetup -n -O BACK-FILE,RO "$dev" | tr -s ' ') == "$PWD/disk.img 0" ]]
	local id
	id=$(stat -c %d:%i disk.img)
	[[ $(tag_of "$dev") == "$(printf "xen-hotplug:vbd/3/$devid:0:%x:%x" "${id%:*}" "${id#*:}")" ]]
	image other.img
	claim 4 w "$PWD/other.img" --token 1aF
	[[ $(tag_of "$dev") == "xen-hotplug:vbd/4/$devid:1af:"* ]]
}

@test "with mode r, the loop device is read-only" {
	chmod a-w disk.img
	claim 3 r "$PWD/disk.img"
	((status == 0))
	[[ $(losetup -n -O RO "$dev" | tr -d ' ') == 1 ]]
}

# queue <loop> <what>
queue() {
	cat "/sys/block/${1#/dev/}/$2"
}

@test "a loop device has the image's current size and passes discards on" {
	truncate -s 6M disk.img
	claim 3 w "$PWD/disk.img"
	[[ $(blockdev --getsize64 "$dev") == 6291456 ]]
	(($(queue "$dev" queue/discard_max_bytes) > 0))
	losetup -d "$dev"
	truncate -s 8M disk.img
	claim 3 w "$PWD/disk.img"
	[[ $(blockdev --getsize64 "$dev") == 8388608 ]]
	truncate -s 12M disk.img
	claim 3 w "$PWD/disk.img"
	[[ $(blockdev --getsize64 "$dev") == 12582912 && $(loops) == "$dev" ]]
}

# on_disk <directory> <losetup option...>
# A file system on a loop device, mounted there.
on_disk() {
	local below
	truncate -s 32M below.img
	below=$(attach "${@:2}" below.img)
	mkfs.ext4 -q "$below"
	mkdir "$1"
	mount "$below" "$1"
	image "$1/disk.img"
}

@test "direct I/O is used if the file is on a disk" {
	on_disk fs
	claim 3 w "$PWD/fs/disk.img"
	[[ $(queue "$dev" loop/dio) == 1 && $(queue "$dev" queue/logical_block_size) == 512 ]]
	losetup -d "$dev"
}

@test "on a disk with larger sectors, the guest has sectors of 512 bytes and no direct I/O" {
	on_disk fs -b 4096
	claim 3 w "$PWD/fs/disk.img"
	((status == 0))
	[[ $(queue "$dev" loop/dio) == 0 && $(queue "$dev" queue/logical_block_size) == 512 ]]
	losetup -d "$dev"
}

@test "a file that is not on a disk is attached without direct I/O" {
	mkdir fs
	mount -t tmpfs tmpfs fs
	image fs/disk.img
	claim 3 w "$PWD/fs/disk.img"
	((status == 0))
	[[ $(queue "$dev" loop/dio) == 0 ]]
	losetup -d "$dev"
}

@test "a sparse image that may outgrow its file system is attached with a warning in the log" {
	mkdir fs
	mount -t tmpfs -o size=4M tmpfs fs
	truncate -s 64M fs/disk.img
	head -c 2M /dev/zero >fs/other
	claim 3 w "$PWD/fs/disk.img"
	((status == 0))
	grep -qxF "warning: The image '$PWD/fs/disk.img' is sparse and may grow by 64 MiB, but its file system has 2 MiB left; make room there before the guest's writes fail." log
	call release --device "vbd/3/$devid"
	truncate -s 1M fs/disk.img
	: >log
	claim 3 w "$PWD/fs/disk.img"
	[[ ! -s log ]]
}

@test "if no loop device is free, the error names max_loop" {
	status=0
	# A sanitizer cannot look for leaks below strace.
	ASAN_OPTIONS=detect_leaks=0 strace -o trace -P /dev/loop-control -e inject=ioctl:error=ENOSPC \
		"$helper" claim --device "vbd/3/$devid" --mode w "$PWD/disk.img" >out 2>err || status=$?
	error=$(<err)
	ended 1 "There is no free loop device (No space left on device); detach some with 'losetup -d', or raise the loop module's parameter max_loop."
}

@test "a second claim of one device changes nothing" {
	claim 3 w "$PWD/disk.img"
	local first=$dev
	claim 3 w "$PWD/disk.img"
	((status == 0))
	[[ $dev == "$first" && $(loops | wc -l) == 1 ]]
}

@test "the refusal of a second guest names the first guest, its mode and its device" {
	claim 3 w "$PWD/disk.img"
	claim 4 w "$PWD/disk.img"
	ended 4 "Disk '$PWD/disk.img' is in use, read-write, by guest 'guest3' (domain 3) as xvda; detach it there first, or share it deliberately with script=block-shared (mode=w!)."
	[[ $(loops | wc -l) == 1 ]]
}

@test "a disk that is held for a domain that no longer exists is refused with the way to free it" {
	local loop
	claim 3 w "$PWD/disk.img"
	loop=$dev
	xenstore-rm /local/domain/3
	claim 4 w "$PWD/disk.img"
	ended 4 "Disk '$PWD/disk.img' is still held for vbd/3/$devid, which no longer exists; run 'xenstore-rm backend/vbd/3/$devid', then 'xen-hotplug gc', or share it*"
	losetup -d "$loop"
	loop=$(attach disk.img)
	give 3 "$loop"
	xenstore-rm /local/domain/3
	claim 4 w "$loop"
	ended 4 "Disk '$loop' is still held for vbd/3/$devid, which no longer exists; run 'xenstore-rm backend/vbd/3/$devid', then 'xen-hotplug gc', or share it*"
	xenstore-rm "backend/vbd/3/$devid"
	claim 4 w "$loop"
	((status == 0))
}

@test "a claim of a device fails in time if the lock of Xen's scripts stays locked" {
	local loop
	loop=$(attach disk.img)
	exec 8<>block
	flock --exclusive 8
	(exec -a neighbour sleep infinity) 9<&- 3>&- &
	holder=$!
	exec 8<&-
	until_true grep -qz neighbour "/proc/$holder/cmdline"
	claim 3 w "$loop" --xen-lock "$PWD/block" --wait 0.3
	ended 5 "The lock $PWD/block of Xen's scripts, which disk '$loop' needs, has been held by process $holder (neighbour infinity) for 0.3 s; *"
	# An image does not need it.
	image other.img
	claim 3 w "$PWD/other.img" --xen-lock "$PWD/block" --wait 0.3
	((status == 0))
	holder_ends
	claim 4 w "$loop" --xen-lock "$PWD/block" --wait 0.3
	((status == 0))
	ln -sf elsewhere block
	claim 4 w "$loop" --xen-lock "$PWD/block" --wait 0.3
	ended 1 "Cannot open the lock $PWD/block *"
}

@test "a loop device that one read of the kernel's table misses is still found" {
	claim 3 w "$PWD/disk.img"
	status=0
	ASAN_OPTIONS=detect_leaks=0 strace -o trace -P /proc/partitions -e inject=read:retval=0:when=1 \
		"$helper" claim --device "vbd/4/$devid" --mode w "$PWD/disk.img" >out 2>err || status=$?
	grep -q 'read.*INJECTED' trace
	error=$(<err)
	ended 4 "Disk '*' is in use, read-write, by *"
}

@test "a second guest is refused a file by any name: hard link, symbolic link, bind mount, relative parts" {
	mkdir other
	ln disk.img hard.img
	ln -s disk.img soft.img
	mount --bind "$PWD" other
	claim 3 w "$PWD/disk.img"
	local name
	for name in hard.img soft.img other/disk.img other/../disk.img; do
		claim 4 w "$PWD/$name"
		ended 4 "Disk '$PWD/$name' is in use, read-write, by guest 'guest3'*"
	done
}

@test "a copy of a used image and another file are allowed" {
	cp disk.img copy.img
	claim 3 w "$PWD/disk.img"
	claim 4 w "$PWD/copy.img"
	((status == 0))
}

@test "two readers share an image" {
	claim 3 r "$PWD/disk.img"
	((status == 0))
	claim 4 r "$PWD/disk.img"
	((status == 0))
	device 5
	claim 5 w "$PWD/disk.img"
	ended 4 "*is in use, read-only, by guest 'guest?' (domain ?)*"
}

@test "mode r is refused while another guest writes" {
	claim 3 w "$PWD/disk.img"
	claim 4 r "$PWD/disk.img"
	ended 4 '*read-write, by guest*'
}

@test "mode w! is allowed, whoever else uses the disk" {
	claim 3 w "$PWD/disk.img"
	claim 4 w! "$PWD/disk.img"
	((status == 0))
	[[ $(loops | wc -l) == 2 ]]
}

@test "two readers lock a disk shared" {
	exec 8<>lock
	claim 3 r "$PWD/disk.img" --lock 8
	((status == 0))
	claim 4 r "$PWD/disk.img" --lock 9 --wait 0.2
	((status == 0))
	exec 7<>lock
	device 5
	claim 5 w "$PWD/disk.img" --lock 7 --wait 0.2
	ended 5 "Disk '$PWD/disk.img' has been locked by process *"
	exec 7>&- 8>&-
}

@test "only overlapping parts of one disk exclude each other's locks" {
	local first second third
	truncate -s 16M disk.img
	first=$(attach -o 0 --sizelimit 4194304 disk.img)
	second=$(attach -o 4194304 --sizelimit 4194304 disk.img)
	third=$(attach -o 2097152 --sizelimit 4194304 disk.img)
	exec 8<>lock
	claim 3 w! "$first" --lock 8
	((status == 0))
	claim 4 w! "$second" --lock 9 --wait 0.2
	((status == 0))
	exec 9>&-
	exec 9<>lock
	claim 4 w! "$third" --lock 9 --wait 0.2
	ended 5 "Disk '$third' has been locked by process *"
	exec 8>&-
}

@test "one guest may have one image as two of its disks" {
	claim 3 w "$PWD/disk.img"
	call claim --device vbd/3/$((devid + 1)) --mode w "$PWD/disk.img"
	((status == 0))
}

@test "a guest and its stub domain share an image" {
	claim 3 w "$PWD/disk.img"
	store_set /local/domain/4/target 3 /local/domain/4/vm /vm/stub
	claim 4 w "$PWD/disk.img"
	((status == 0))
}

@test "both ends of a migration on one host share an image" {
	claim 3 w "$PWD/disk.img"
	store_set /local/domain/4/vm /vm/3
	claim 4 w "$PWD/disk.img"
	((status == 0))
}

@test "two guests whose nodes cannot be read are two guests" {
	claim 3 w "$PWD/disk.img"
	xenstore-rm /local/domain/3
	xenstore-rm /local/domain/4
	claim 4 w "$PWD/disk.img"
	ended 4 "*held for vbd/3/$devid,*"
	store_set /local/domain/3/vm '' /local/domain/4/vm ''
	claim 4 w "$PWD/disk.img"
	ended 4 '*by a guest (domain 3) as xvda*'
}

@test "two guests whose vm nodes may not be read are two guests" {
	claim 3 w "$PWD/disk.img"
	store_set /local/domain/4/vm /vm/3
	store_fault 'read:/local/domain/*/vm@1+=EACCES'
	claim 4 w "$PWD/disk.img"
	ended 4 '* (domain 3)*'
}

@test "one of eight parallel claims by eight guests succeeds" {
	local i pids=() done=0
	for ((i = 10; i < 18; i++)); do
		device "$i"
	done
	for ((i = 10; i < 18; i++)); do
		(
			exec 8<>lock
			"$helper" claim --device "vbd/$i/$devid" --mode w --lock 8 "$PWD/disk.img" \
				>"out$i" 2>"err$i" 9>&- 3>&-
		) &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do
		status=0
		wait "$i" || status=$?
		((status == 0 || status == 4))
		((status != 0)) || ((++done))
	done
	((done == 1))
	[[ $(loops | wc -l) == 1 ]]
}

@test "after the claim, only that disk's lock is held" {
	image other.img
	exec 8<>lock
	claim 3 w "$PWD/disk.img" --lock 8
	((status == 0))
	claim 4 w "$PWD/disk.img" --lock 9 --wait 0.2
	ended 5 "Disk '$PWD/disk.img' has been locked by process * for 0.2 s;*"
	claim 4 w "$PWD/other.img" --lock 9 --wait 0.2
	((status == 0))
	exec 8>&-
	claim 4 w "$PWD/disk.img" --lock 9 --wait "$generous"
	((status == 4))
}

@test "the host's own loop device over the file counts as a user" {
	local loop
	loop=$(attach disk.img)
	claim 3 w "$PWD/disk.img"
	ended 4 "Disk '*' is attached to '$loop' in this host; run 'losetup -d $loop' if it is not needed*"
	losetup -d "$loop"
	loop=$(attach -r disk.img)
	claim 3 r "$PWD/disk.img"
	((status == 0))
}

@test "a loop device that older scripts attached to a guest counts as that guest's" {
	give 3 "$(attach disk.img)"
	claim 4 w "$PWD/disk.img"
	ended 4 "*is in use, read-write, by guest 'guest3' (domain 3) as xvda*"
	claim 3 w "$PWD/disk.img"
	((status == 0))
}

@test "a file and the loop device over it exclude each other" {
	local loop
	loop=$(attach disk.img)
	give 3 "$loop"
	claim 4 w "$PWD/disk.img"
	ended 4 "*by guest 'guest3'*"
	image own.img
	claim 3 w "$PWD/own.img"
	loop=$dev
	claim 4 w "$loop"
	ended 4 "Disk '$loop' is in use, read-write, by guest 'guest3'*"
}

@test "a block device is attached without a loop device" {
	local loop
	loop=$(attach disk.img)
	ln -s "$loop" link
	claim 3 w "$PWD/link"
	done_with "device=$loop" "physical-device=$(stat -c %t:%T "$loop")" kind=device "target=$loop"
}

@test "a block device that another guest has is refused, also under another device number" {
	local loop upper
	loop=$(attach disk.img)
	give 3 "$loop"
	claim 4 w "$loop"
	ended 4 "Disk '$loop' is in use, read-write, by guest 'guest3' (domain 3) as xvda*"
	upper=$(attach "$loop")
	claim 4 w "$upper"
	ended 4 "*by guest 'guest3'*"
	losetup -d "$upper"
	mknod node b "$(stat -c 0x%t "$loop")" "$(stat -c 0x%T "$loop")"
	claim 4 w "$PWD/node"
	ended 4 "*by guest 'guest3'*"
	claim 3 w "$loop"
	((status == 0))
}

@test "a block device is shared by readers, and by domains of one virtual machine" {
	local loop
	loop=$(attach disk.img)
	give 3 "$loop" r
	claim 4 r "$loop"
	((status == 0))
	claim 4 w "$loop"
	((status == 4))
	store_set /local/domain/4/vm /vm/3
	claim 4 w "$loop"
	((status == 0))
}

@test "another guest's unreadable mode counts as writing" {
	local loop
	loop=$(attach disk.img)
	give 3 "$loop" r
	xenstore-rm "$home/backend/vbd/3/$devid/mode"
	claim 4 r "$loop"
	ended 4 '*read-write*'
}

@test "a partition overlaps its whole disk, but not another partition" {
	local loop
	loop=$(attach -P disk.img)
	partitions "$loop"
	give 3 "${loop}p1"
	claim 4 w "$loop"
	ended 4 "Disk '$loop' is in use, read-write, by guest 'guest3'*"
	claim 4 w "$PWD/disk.img"
	ended 4 "*'guest3'*" || ended 4 "*'$loop' in this host*"
	claim 4 w "${loop}p2"
	((status == 0))
	xenstore-rm "$home/backend/vbd/3/$devid/physical-device"
	give 3 "$loop"
	claim 4 w "${loop}p2"
	ended 4 "Disk '${loop}p2' is in use, read-write, by guest 'guest3'*"
}

@test "parts of one file exclude each other only if they overlap" {
	local first second third
	first=$(attach -o 0 --sizelimit 1048576 disk.img)
	second=$(attach -o 1048576 --sizelimit 1048576 disk.img)
	third=$(attach -o 524288 --sizelimit 1048576 disk.img)
	give 3 "$first"
	claim 4 w "$second"
	ended 4 "*'$third'*"
	losetup -d "$third"
	claim 4 w "$second"
	((status == 0))
	third=$(attach -o 524288 --sizelimit 1048576 disk.img)
	claim 4 w "$third"
	ended 4 '*'
}

@test "a device that the host has mounted is refused with its mount point" {
	local loop
	loop=$(attach disk.img)
	mkfs.ext4 -q "$loop"
	mkdir 'mount point'
	mount "$loop" 'mount point'
	claim 3 w "$loop"
	ended 4 "Disk '$loop' is mounted on '$PWD/mount point' in this host; unmount it there first*"
	claim 3 r "$loop"
	((status == 4))
}

@test "a device that the host has mounted read-only can be attached read-only" {
	local loop
	mkfs.ext4 -q disk.img
	cp disk.img other.img
	mkdir mnt other
	loop=$(attach disk.img)
	mount -o ro "$loop" mnt
	mount -o loop,ro other.img other
	claim 3 r "$loop"
	((status == 0))
	claim 3 w "$loop"
	((status == 4))
	claim 3 r "$PWD/other.img"
	((status == 0))
	claim 4 w "$PWD/other.img"
	((status == 4))
}

@test "the whole disk of a mounted partition is refused" {
	local loop
	loop=$(attach -P disk.img)
	partitions "$loop"
	mkfs.ext4 -q "${loop}p1"
	mkdir mnt
	mount "${loop}p1" mnt
	claim 3 w "$loop"
	ended 4 "Disk '$loop' is mounted on '$PWD/mnt' in this host*"
	claim 3 w "${loop}p2"
	((status == 0))
}

@test "the refusal of a mounted device does not suggest block-shared" {
	local loop
	loop=$(attach disk.img)
	mkfs.ext4 -q "$loop"
	mkdir mnt
	mount "$loop" mnt
	claim 3 w "$loop"
	ended 4 "Disk '$loop' is mounted on '$PWD/mnt' in this host; unmount it there first."
}

@test "an image file that the host has mounted is refused with its mount point" {
	local loop
	mkfs.ext4 -q disk.img
	mkdir mnt
	mount -o loop disk.img mnt
	claim 3 w "$PWD/disk.img"
	ended 4 "Disk '$PWD/disk.img' is mounted on '$PWD/mnt' in this host; unmount it there first."
	claim 3 r "$PWD/disk.img"
	((status == 4))
}

@test "an image file with a mounted partition is refused with its mount point" {
	local loop
	loop=$(attach -P disk.img)
	partitions "$loop"
	mkfs.ext4 -q "${loop}p2"
	mkdir mnt
	mount "${loop}p2" mnt
	claim 3 w "$PWD/disk.img"
	ended 4 "Disk '$PWD/disk.img' is mounted on '$PWD/mnt' in this host*"
}

@test "an image file that is swap space is refused, even to a reader" {
	head -c 4M /dev/zero >disk.img
	chmod 600 disk.img
	mkswap -q disk.img
	swapon disk.img || skip "this kernel has no swap"
	claim 3 w "$PWD/disk.img"
	local writing=$status
	claim 3 r "$PWD/disk.img"
	swapoff disk.img
	((writing == 4))
	ended 4 "Disk '$PWD/disk.img' is swap space of this host; run 'swapoff' on '$PWD/disk.img' first."
}

@test "a loop device over a part of an image file that is swap space is refused" {
	local loop part
	head -c 4M /dev/zero >disk.img
	chmod 600 disk.img
	loop=$(attach disk.img)
	part=$(attach --offset 1M --sizelimit 1M "$loop")
	mkswap -q disk.img
	swapon disk.img || skip "this kernel has no swap"
	claim 3 r "$part"
	swapoff disk.img
	ended 4 "Disk '$part' is swap space of this host; run 'swapoff' on '$PWD/disk.img' first*"
}

@test "the host's swap space is refused" {
	local loop
	loop=$(attach disk.img)
	mkswap -q "$loop"
	swapon "$loop" || skip "this kernel has no swap"
	claim 3 w "$loop"
	swapoff "$loop"
	ended 4 "Disk '$loop' is swap space of this host; run 'swapoff' on '$loop' first*"
}

@test "a device that another process holds exclusively is refused, even if the holder is unknown" {
	local loop
	loop=$(attach disk.img)
	mkfifo ready
	# shellcheck disable=SC2016 # perl expands
	perl -MFcntl -e 'sysopen my $disk, $ARGV[0], O_RDONLY | O_EXCL or die; system "echo >ready"; sleep' "$loop" 3>&- 9>&- &
	holder=$!
	read -r -t "$generous" _ <>ready
	claim 3 w "$loop"
	ended 4 "Disk '$loop' is held exclusively by a program of this host; find it with 'lsof*"
	holder_ends
	claim 3 w "$loop"
	((status == 0))
}

@test "a claim waits for a guest whose disk is being closed" {
	claim 3 w "$PWD/disk.img"
	local loop=$dev
	exec 7<"$loop"
	call release --device "vbd/3/$devid"
	done_with "$loop"
	[[ $(loops) == "$loop" ]] # blkback has it open still
	"$helper" claim --device "vbd/4/$devid" --mode w "$PWD/disk.img" >out 2>err 7<&- 3>&- &
	looked() { (($(store_requests READ) > 8)); }
	until_true looked
	exec 7<&-
	wait "$!"
	[[ $(loops | wc -l) == 1 ]]
}

@test "without a store, a claim of an image file fails" {
	store_stop
	claim 3 w "$PWD/disk.img"
	ended 1 '*xenstored*'
}

@test "a claim sends two store requests for an image file, and two more for each guest for a device" {
	local i before loop
	loop=$(attach disk.img)
	mkdir fs
	mount -t tmpfs tmpfs fs
	image fs/other.img
	for ((i = 10; i < 30; i++)); do
		store_set "$home/backend/vbd/$i/$devid/physical-device" "fd:$i"
	done
	before=$(store_requests)
	claim 3 w "$PWD/fs/other.img"
	((status == 0))
	(($(store_requests) - before == 2))
	losetup -d "$dev"
	before=$(store_requests)
	claim 3 w "$loop"
	((status == 0))
	(($(store_requests) - before == 2 + 1 + 22 + 22))
}

# served <domid> <type> <params> [mode]
# A disk of that guest that a program serves.
served() {
	local backend=$home/backend/$2/$1/768
	device "$1"
	xenstore-rm "$home/backend/vbd/$1"
	store_set "$backend/params" "$3" "$backend/mode" "${4:-w}" "$backend/dev" xvde
}

@test "an image file that QEMU serves to a guest counts as that guest's under every name" {
	local params
	ln disk.img hard.img
	ln -s hard.img soft.img
	for params in "aio:$PWD/disk.img" "raw:$PWD/soft.img" "$PWD/hard.img" "qcow2:$PWD/disk.img"; do
		served 4 qdisk "$params"
		claim 3 w "$PWD/disk.img"
		ended 4 "Disk '$PWD/disk.img' is in use, read-write, by guest 'guest4' (domain 4) as xvde; detach it there first, or share it deliberately*"
		claim 3 r "$PWD/disk.img"
		((status == 4))
	done
	for params in '' aio: "nbd:localhost:$PWD/disk.img" "aio:$PWD/other.img" "aio:disk.img" "aio:$PWD"; do
		served 4 qdisk "$params"
		claim 3 w "$PWD/disk.img"
		((status == 0)) || {
			echo "params: $params, $error"
			return 1
		}
	done
}

@test "a disk that QEMU only reads is shared with readers" {
	served 4 qdisk "aio:$PWD/disk.img" r
	claim 3 r "$PWD/disk.img"
	((status == 0))
	device 5
	claim 5 w "$PWD/disk.img"
	ended 4 "*is in use, read-only, by guest '*"
}

@test "a disk that QEMU, tapdisk or virtio serves is in use, also through a loop device" {
	local loop type
	loop=$(attach disk.img)
	served 4 qdisk "aio:$loop"
	claim 3 w "$loop"
	ended 4 "Disk '$loop' is in use, read-write, by guest 'guest4' (domain 4) as xvde*"
	claim 3 w "$PWD/disk.img"
	ended 4 "*by guest 'guest4'*"
	xenstore-rm "$home/backend/qdisk"
	for type in qdisk vbd3 virtio_disk; do
		served 4 "$type" "aio:$PWD/disk.img"
		claim 3 w "$loop"
		ended 4 "Disk '$loop' is in use, read-write, by guest 'guest4' (domain 4) as xvde*"
		xenstore-rm "$home/backend/$type"
	done
	claim 3 w "$loop"
	((status == 0))
}

@test "a guest may have an image that QEMU already serves to it" {
	served 3 qdisk "aio:$PWD/disk.img"
	device 3
	claim 3 w "$PWD/disk.img"
	((status == 0))
}

@test "--plan gives the same verdict and changes nothing" {
	claim 3 w "$PWD/disk.img" --plan
	done_with device=/dev/loopN physical-device=7:N kind=file "target=$PWD/disk.img"
	[[ ! $(loops) ]]
	claim 3 w "$PWD/disk.img"
	claim 4 w "$PWD/disk.img" --plan
	((status == 4))
}

@test "each kind of target that cannot be a disk is refused with its own sentence" {
	ln -s nowhere dangling
	ln -s loop loop
	mkdir directory
	mkfifo fifo
	: >empty
	head -c 511 /dev/zero >short
	claim 3 w "$PWD/none"
	ended 1 "Disk '$PWD/none' does not exist; correct*"
	claim 3 w "$PWD/dangling"
	ended 1 "Disk '$PWD/dangling' is a symbolic link to 'nowhere', which does not exist;*"
	claim 3 w "$PWD/loop"
	ended 1 "Disk '$PWD/loop' cannot be opened for reading and writing (Too many levels of symbolic links)*"
	claim 3 w "$PWD/disk.img/x"
	ended 1 "Disk '$PWD/disk.img/x' cannot be opened * (Not a directory)*"
	claim 3 w "$PWD/directory"
	ended 1 "Disk '$PWD/directory' is a directory;*"
	claim 3 w "$PWD/fifo"
	ended 1 "Disk '$PWD/fifo' is a named pipe;*"
	claim 3 w /dev/null
	ended 1 "Disk '/dev/null' is a character device;*"
	claim 3 w "$PWD/empty"
	ended 1 "Disk '$PWD/empty' is empty;*"
	claim 3 w "$PWD/short"
	ended 1 "Disk '$PWD/short' is smaller than a sector;*"
}

@test "a read-only target is refused to a writer" {
	chmod a-w disk.img
	claim 3 w "$PWD/disk.img"
	ended 1 "Disk '$PWD/disk.img' is a read-only file; allow writing with 'chmod u+w', or give the disk mode=r."
	image other.img
	claim 3 w "$(attach -r other.img)"
	ended 1 "Disk '/dev/loop*' is a read-only device;*"
	mkdir ro
	mount -t tmpfs tmpfs ro
	image ro/disk.img
	mount -o remount,ro "$PWD/ro"
	claim 3 w "$PWD/ro/disk.img"
	ended 1 "Disk '$PWD/ro/disk.img' is on a file system that is mounted read-only;*"
	claim 3 r "$PWD/ro/disk.img"
	((status == 0))
}

@test "names with spaces, quotes and newlines are accepted unchanged" {
	local name=$'-a b\'"\n$(x)\\.img'
	image "./$name"
	claim 3 w "$PWD/$name"
	((status == 0))
	[[ ${reply[3]} == "target=$PWD/$name" ]]
	claim 4 w "$PWD/$name"
	ended 4 "*a b\\\\'\"\\\\n\$(x)\\\\\\\\.img' is in use*"
}

@test "store values that are not device numbers match no device" {
	local loop value
	loop=$(attach disk.img)
	for value in '' : 7 7: :7 x:y 7:fffffffffffff 1000:0 '7;0' "$(stat -c %t-%T "$loop")" $'\xff'; do
		store_set "$home/backend/vbd/4/$devid/physical-device" "$value"
		claim 3 w "$loop"
		((status == 0)) || {
			echo "value: $value, $error"
			return 1
		}
	done
	store_set "$home/backend/vbd/4/$devid/physical-device" "$(stat -c 0x%t:0x%T "$loop")"
	claim 3 w "$loop"
	((status == 4))
}

@test "a claim fails if the store does not say who uses a device" {
	local loop
	loop=$(attach disk.img)
	store_fault 'directory@1=EACCES'
	claim 3 w "$loop"
	ended 1 "Cannot read 'backend/vbd' in the store (Permission denied), so the users of the disk are unknown*"
	store_fault 'directory:backend/vbd/4@1=EINVAL'
	claim 3 w "$loop"
	ended 1 '*so the users of the disk are unknown*'
	store_fault "read:backend/vbd/4/$devid/physical-device@1=EACCES"
	claim 3 w "$loop"
	ended 1 "Cannot read 'backend/vbd/4/$devid/physical-device'*"
}

@test "a guest with more devices than fit one store reply is checked completely" {
	local loop i load=()
	loop=$(attach disk.img)
	for ((i = 0; i < 600; i++)); do
		load+=("$home/backend/vbd/4/$((268435456 + i * 256))/physical-device" fd:1)
	done
	store_set "${load[@]}"
	store_set "$home/backend/vbd/4/$((268435456 + 599 * 256))/physical-device" "$(stat -c %t:%T "$loop")"
	claim 3 w "$loop"
	ended 4 '*by guest* (domain 4) as vbd/4/268588800*'
}

@test "a file in the mounted image of a guest is refused to another guest, not to that guest" {
	local first loop
	truncate -s 32M below.img
	mkfs.ext4 -q below.img
	claim 3 w "$PWD/below.img"
	first=$dev
	mkdir fs
	mount "$first" fs
	image fs/disk.img
	claim 4 w "$PWD/fs/disk.img"
	ended 4 "Disk '$PWD/fs/disk.img' lies on a disk that is in use, read-write, by guest 'guest3' (domain 3) as xvda; *"
	claim 4 r "$PWD/fs/disk.img"
	((status == 4))
	device 5
	loop=$(attach fs/disk.img)
	claim 5 w "$loop"
	ended 4 "Disk '$loop' lies on a disk that is in use, read-write, by guest 'guest3'*"
	losetup -d "$loop"
	claim 3 w "$PWD/fs/disk.img"
	((status == 0))
	losetup -d "$dev"
}

@test "the image below a guest's file is refused, also when its file system is mounted no more" {
	local below
	on_disk fs
	below=$(findmnt -n -o SOURCE fs)
	image fs/other.img
	claim 3 w "$PWD/fs/disk.img"
	((status == 0))
	claim 4 w "$PWD/fs/other.img"
	((status == 0))
	call release --device "vbd/4/$devid"
	claim 4 w "$PWD/below.img"
	ended 4 "Disk '$PWD/below.img' is in use, read-write, by guest 'guest3' (domain 3) as xvda; *"
	umount -l fs
	claim 4 w "$PWD/below.img"
	ended 4 "*by guest 'guest3'*"
	claim 4 w "$below"
	ended 4 "*by guest 'guest3'*"
	call release --device "vbd/3/$devid"
}

@test "a file is refused if the disk of its file system is another guest's by its nodes" {
	local below
	on_disk fs
	below=$(findmnt -n -o SOURCE fs)
	give 4 "$below"
	claim 3 w "$PWD/fs/disk.img"
	ended 4 "Disk '$PWD/fs/disk.img' lies on a disk that is in use, read-write, by guest 'guest4' (domain 4) as xvda; *"
	claim 3 w! "$PWD/fs/disk.img"
	((status == 0))
	losetup -d "$dev"
	give 4 "$below" r
	claim 3 r "$PWD/fs/disk.img"
	((status == 0))
	losetup -d "$dev"
}

@test "a file that QEMU serves keeps the disk of its file system from other guests" {
	local below
	on_disk fs
	served 4 qdisk "aio:$PWD/fs/disk.img"
	below=$(findmnt -n -o SOURCE fs)
	umount -l fs
	mount "$below" fs
	claim 3 w "$PWD/below.img"
	ended 4 "*by guest 'guest4'*"
}

# requests_of_claim <domid> <path> [option...]
# How many requests that guest's claim to write sends to the store.
requests_of_claim() {
	local before
	before=$(store_requests)
	claim "$1" w "${@:2}" >&2
	((status == 0)) || return
	echo $(($(store_requests) - before)) | tee -a counts
	call release --device "vbd/$1/$devid"
}

@test "the store is read for the disk of a file system once" {
	local i
	on_disk fs
	image fs/other.img
	for ((i = 10; i < 30; i++)); do
		store_set "$home/backend/vbd/$i/$devid/physical-device" "fd:$i"
	done
	(($(requests_of_claim 3 "$PWD/fs/disk.img" --lock 9) == 2 + 1 + 22 + 22))
	(($(requests_of_claim 3 "$PWD/fs/disk.img" --lock 9) == 2))
	(($(requests_of_claim 4 "$PWD/fs/other.img" --lock 9) == 2))
	exec 9>&-
	# Without a lock, nothing may be believed.
	(($(requests_of_claim 4 "$PWD/fs/other.img") > 40))
	exec 9<>lock
	truncate -s 1M below2.img
	claim 4 w "$(attach below2.img)" --lock 9
	exec 9>&-
	exec 9<>lock
	(($(requests_of_claim 3 "$PWD/fs/other.img" --lock 9) > 40))
	(($(requests_of_claim 3 "$PWD/fs/other.img" --lock 9) == 2))
}

@test "while a claim of a device is under way, no note says that no guest has the device" {
	on_disk fs
	truncate -s 1M below2.img
	exec 8<>lock
	claim 4 w "$(attach below2.img)" --lock 8
	((status == 0))
	(($(requests_of_claim 3 "$PWD/fs/disk.img" --lock 9) > 1))
	(($(requests_of_claim 3 "$PWD/fs/disk.img" --lock 9) > 1))
	exec 8>&-
	give 4 "$(findmnt -n -o SOURCE fs)"
	claim 3 w "$PWD/fs/disk.img" --lock 9
	((status == 4))
}

# note_time <number>
# Sets the time of the first note in the file of locks.
note_time() {
	perl -e 'open my $lock, "+<", "lock" or die; seek $lock, 8, 0; print $lock pack "Q", $ARGV[0]' "$1"
}

@test "a note is believed for a minute of this boot" {
	local now
	on_disk fs
	requests_of_claim 3 "$PWD/fs/disk.img" --lock 9
	now=$(perl -MTime::HiRes=clock_gettime -e 'print int 1000 * clock_gettime 7')
	give 4 "$(findmnt -n -o SOURCE fs)"
	# Given by a script that does not claim.
	note_time "$now"
	requests_of_claim 3 "$PWD/fs/disk.img" --lock 9
	for now in 0 $((now - 61000)) $((now + 100000000)); do
		note_time "$now"
		claim 3 w "$PWD/fs/disk.img" --lock 9
		((status == 4))
	done
}

# reads_mounted <image> <type>
# A guest may read the image, which the host has mounted with -o loop, but not write it.
reads_mounted() {
	local below
	mkdir cd
	mount -t "$2" -o loop "$1" cd || return
	below=$(findmnt -n -o SOURCE cd)
	[[ $(<"/sys/block/${below#/dev/}/ro") == 0 ]]
	claim 3 r "$PWD/$1"
	((status == 0))
	claim 4 r "$below"
	((status == 0))
	call release --device "vbd/3/$devid"
	claim 3 w "$PWD/$1"
	ended 4 "Disk '$PWD/$1' is mounted on '$PWD/cd' in this host; unmount it there first."
	umount cd
}

@test "an image of squashfs that the host has mounted may be read, and not written" {
	mkdir tree
	mksquashfs tree cd.img -quiet -no-progress >out
	truncate -s 1M cd.img
	reads_mounted cd.img squashfs
}

@test "an image of erofs that the host has mounted may be read, and not written" {
	mkdir tree
	mkfs.erofs cd.img tree >out 2>&1
	truncate -s 1M cd.img
	reads_mounted cd.img erofs
}

@test "an image with a mounted partition of squashfs may be read, and not written" {
	local loop
	mkdir tree cd
	mksquashfs tree part.img -quiet -no-progress >out
	loop=$(attach disk.img)
	partitions "$loop"
	dd if=part.img of="${loop}p1" conv=fsync status=none
	mount -t squashfs "${loop}p1" cd
	claim 3 r "$PWD/disk.img"
	((status == 0))
	call release --device "vbd/3/$devid"
	claim 3 w "$PWD/disk.img"
	ended 4 "*is mounted on '$PWD/cd' in this host; *"
	umount cd
	without_partitions "$loop"
}

@test "a writable file system that is mounted read-only on a writable loop device is refused to readers" {
	local below
	on_disk fs
	below=$(findmnt -n -o SOURCE fs)
	umount fs
	mount -o ro "$below" fs
	claim 3 r "$PWD/below.img"
	ended 4 "*is attached to '/dev/loop"*"' in this host; *"
}

# in_namespace <command>...
# Starts a process that has a mount namespace of its own, in which the command has run. Sets its
# number, holder.
in_namespace() {
	mkfifo ready
	# shellcheck disable=SC2016 # the inner shell expands
	unshare --mount bash -c '"$@" && echo >ready && exec sleep infinity' - "$@" 3>&- 9>&- &
	holder=$!
	read -r -t "$generous" _ <>ready
}

@test "the refusal of a disk that is mounted in another namespace names a process" {
	local loop
	truncate -s 32M below.img
	mkfs.ext4 -q below.img
	loop=$(attach below.img)
	mkdir fs
	in_namespace mount "$loop" "$PWD/fs"
	claim 3 w "$loop"
	ended 4 "Disk '$loop' is mounted on '$PWD/fs' in the mount namespace of process $holder ('sleep'); unmount it there first ('nsenter -m -t $holder')."
	holder_ends
}

@test "the refusal of a disk whose partition is mounted in another namespace names a process" {
	local loop
	truncate -s 32M disk.img
	loop=$(attach disk.img)
	partitions "$loop"
	mkfs.ext4 -q "${loop}p2"
	mkdir fs
	in_namespace mount "${loop}p2" "$PWD/fs"
	claim 3 w "$loop"
	ended 4 "*is mounted on '$PWD/fs' in the mount namespace of process $holder*"
	holder_ends
	without_partitions "$loop"
}
