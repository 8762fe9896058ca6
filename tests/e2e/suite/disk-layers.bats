#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# One disk under several names: disks on which dom0 builds others, and what is built of them.

load ../lib/xen.bash
bats_require_minimum_version 1.5.0
layers=$E2E_WORK-layers # the files below, apart from those of the guests

setup() {
	guest web 11
	before=$(residue)
}

teardown() {
	guests_of_layers_destroy
	layers_remove
	e2e_teardown
}

guests_of_layers_destroy() {
	! xl domid mail >/dev/null 2>&1 || xl destroy mail
}

# layers_remove
# Takes down whatever a test has built, also when it failed half way.
layers_remove() {
	local where name loop
	swapoff /dev/e2e/swap 2>/dev/null || :
	while read -r where; do
		umount "$where"
	done < <(awk -v dir="$layers/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
	vgremove -q -f -y e2e >/dev/null 2>&1 || :
	[[ ! -e /dev/md/e2e ]] || mdadm --quiet --stop /dev/md/e2e
	for name in part1 part2 over1 over2 paths crypt; do
		dmsetup remove --retry "e2e-$name" 2>/dev/null || :
	done
	while read -r loop; do
		losetup -d "$loop"
	done < <(losetup -l -n --raw -O NAME,BACK-FILE | awk -v dir="$layers/" 'index($2, dir) == 1 { print $1 }')
	rm -rf -- "$layers"
}

# disk <name> [losetup option...]
# A disk of dom0 of 64 MB, and the file that it is. Sets the variables disk and file.
disk() {
	mkdir -p "$layers"
	file=$layers/$1
	truncate -s 64M "$file"
	disk=$(losetup -f --show "${@:2}" "$file")
}

# volume_group
# The group e2e on a partition of a disk. Sets disk, partition and file.
volume_group() {
	disk pv
	addpart "$disk" 1 2048 129024
	partition=${disk}p1
	within 10 test -b "$partition"
	vgcreate -q -y e2e "$partition"
}

# plan <target> [mode]
# Would web get it?
plan() {
	run --separate-stderr /usr/lib/xen-hotplug/xen-hotplug claim --device "vbd/$(xl domid web)/51728" \
		--mode "${2:-w}" --plan -- "$1"
}

# free_to <target> [mode]
free_to() {
	plan "$@"
	((status == 0)) || {
		echo "$1 is not free: $stderr"
		return 1
	}
}

# taken <sentence behind the disk's name> <target> [mode]
# Glob characters match in the sentence.
taken() {
	plan "${@:2}"
	# shellcheck disable=SC2053 # it is a pattern
	if ((status != 4)) || [[ $stderr != "Disk '$2' "$1. ]]; then
		echo "status $status: $stderr"
		return 1
	fi
}

# by_mail [target...]
# The guest mail has each of them, to write.
by_mail() {
	local target
	for target; do
		taken "is in use, read-write, by guest 'mail' (domain $(xl domid mail)) as xvda;*" "$target"
	done
}

# give_mail <disk> [mode]
give_mail() {
	guest_paused mail "disk=['phy:$1,xvda,${2:-w}']"
}

@test "two guests may have LVs of one volume group, and no guest gets the PV" {
	volume_group
	lvcreate -q -y -W n -L 8M -n one e2e
	lvcreate -q -y -W n -L 8M -n two e2e
	give_mail /dev/e2e/one
	xl block-attach web 'phy:/dev/e2e/two,xvdb,w'
	within 30 has_sector /dev/e2e/two web xvdb
	xl block-detach web xvdb
	by_mail /dev/e2e/one /dev/mapper/e2e-one "$partition" "$disk" "$file"
	refused "Disk '$disk' is in use, read-write, by guest 'mail'" xl block-attach web "phy:$disk,xvdb,w"
	xl block-detach web xvdb
	xl destroy mail
	free_to /dev/e2e/one
	give_mail /dev/e2e/two r
	free_to /dev/e2e/two r
	taken "is in use, read-only, by guest 'mail' *" "$partition"
	xl destroy mail
	taken "is part of the device dm-* (e2e-*) in this host; take that down, or give the guest that device instead" "$disk"
	taken "is part of the device dm-* (e2e-*) in this host; take that down*" "$partition" r
	same_residue "$before"
}

@test "a disk, a partition and an LV are refused while a guest has the whole disk" {
	disk whole
	addpart "$disk" 1 2048 8192
	addpart "$disk" 2 10240 8192
	give_mail "${disk}p1"
	by_mail "${disk}p1" "$disk" "$file"
	free_to "${disk}p2"
	dmsetup create e2e-part2 --table "0 8192 linear $disk 10240"
	free_to /dev/mapper/e2e-part2
	dmsetup create e2e-part1 --table "0 8 linear $disk 10232"
	by_mail /dev/mapper/e2e-part1
	xl destroy mail
	dmsetup remove e2e-part1
	dmsetup remove e2e-part2
	give_mail "$disk"
	by_mail "${disk}p1" "${disk}p2" "$file"
	xl destroy mail
	same_residue "$before"
}

@test "a mounted or swap device of dom0 is refused, and so is every device below it" {
	local target
	volume_group
	lvcreate -q -y -W n -L 8M -n one e2e
	lvcreate -q -y -W n -L 8M -n two e2e
	lvcreate -q -y -W n -L 8M -n swap e2e
	mkfs.ext4 -q /dev/e2e/one
	mkdir "$layers/mnt"
	mount /dev/e2e/one "$layers/mnt"
	for target in /dev/e2e/one "$partition" "$disk" "$file"; do
		taken "is mounted on '$layers/mnt' in this host; unmount it there first" "$target"
	done
	free_to /dev/e2e/two
	umount "$layers/mnt"
	mount -o ro /dev/e2e/one "$layers/mnt"
	free_to /dev/e2e/one r
	taken "is mounted on *" /dev/e2e/one
	umount "$layers/mnt"
	mkswap -q /dev/e2e/swap
	swapon /dev/e2e/swap
	for target in /dev/e2e/swap "$partition" "$disk" "$file"; do
		taken "is swap space of this host; run 'swapoff' on '*' first" "$target"
	done
	free_to /dev/e2e/two
	swapoff /dev/e2e/swap
	free_to /dev/e2e/swap
}

@test "guests may have thin volumes of one pool, or a snapshot and its origin, but not the pool's disk" {
	volume_group
	lvcreate -q -y -L 16M -T e2e/pool
	lvcreate -q -y -V 8M -T e2e/pool -n thin1
	lvcreate -q -y -V 8M -T e2e/pool -n thin2
	lvcreate -q -y -W n -L 8M -n thick e2e
	lvcreate -q -y -s -L 4M -n earlier e2e/thick
	give_mail /dev/e2e/thin1
	free_to /dev/e2e/thin2
	by_mail /dev/e2e/thin1 "$partition" "$disk" "$file"
	free_to /dev/e2e/thick
	xl destroy mail
	give_mail /dev/e2e/thick
	free_to /dev/e2e/earlier
	by_mail /dev/e2e/thick "$disk"
	xl destroy mail
	give_mail /dev/e2e/earlier
	free_to /dev/e2e/thick
	by_mail /dev/e2e/earlier "$disk"
	xl destroy mail
	same_residue "$before"
}

@test "an encrypted disk overlaps the device below it, and its own parts do not overlap" {
	disk secret
	echo -n secret | cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 256 --hash sha256 \
		--key-file - "$disk" e2e-crypt
	give_mail /dev/mapper/e2e-crypt
	by_mail /dev/mapper/e2e-crypt "$disk" "$file"
	xl destroy mail
	taken "is part of the device dm-* (e2e-crypt) in this host*" "$disk"
	dmsetup create e2e-part1 --table '0 8192 linear /dev/mapper/e2e-crypt 0'
	dmsetup create e2e-part2 --table '0 8192 linear /dev/mapper/e2e-crypt 8192'
	give_mail /dev/mapper/e2e-part1
	free_to /dev/mapper/e2e-part2
	by_mail /dev/mapper/e2e-crypt "$disk"
	xl destroy mail
	same_residue "$before"
}

@test "an array overlaps its members, and its own parts do not overlap" {
	local one
	disk member1
	one=$disk
	disk member2
	mdadm --quiet --create /dev/md/e2e --run --assume-clean --metadata=1.2 --level=1 --raid-devices=2 "$one" "$disk"
	within 10 test -b /dev/md/e2e
	give_mail /dev/md/e2e
	by_mail /dev/md/e2e "$one" "$disk" "$file"
	xl destroy mail
	taken "is part of the device md* in this host*" "$one"
	dmsetup create e2e-part1 --table '0 8192 linear /dev/md/e2e 0'
	dmsetup create e2e-part2 --table '0 8192 linear /dev/md/e2e 8192'
	give_mail /dev/mapper/e2e-part1
	free_to /dev/mapper/e2e-part2
	by_mail /dev/md/e2e "$disk"
	dmsetup remove e2e-part2
	xl destroy mail
	dmsetup remove e2e-part1
	same_residue "$before"
}

@test "a multipath device overlaps its paths" {
	local one
	disk lun
	one=$disk
	disk lun
	dmsetup create e2e-paths --table "0 131072 multipath 0 0 1 1 round-robin 0 2 1 $one 1 $disk 1"
	give_mail /dev/mapper/e2e-paths
	by_mail /dev/mapper/e2e-paths "$one" "$disk" "$file"
	xl destroy mail
	taken "is part of the device dm-* (e2e-paths) in this host*" "$one"
	free_to /dev/mapper/e2e-paths
	same_residue "$before"
}

@test "guests share a base through overlays and as readers, and no guest may write it" {
	local base one two name
	disk base
	base=$disk
	disk cow1
	one=$disk
	disk cow2
	two=$disk
	dmsetup create e2e-over1 --table "0 131072 snapshot $base $one P 8"
	taken "is part of the device dm-* (e2e-over1) in this host*" "$base"
	free_to "$base" r
	give_mail /dev/mapper/e2e-over1
	free_to "$base" r
	dmsetup create e2e-over2 --table "0 131072 snapshot $base $two P 8"
	free_to /dev/mapper/e2e-over2
	free_to "$base" r
	for name in "$base" "$layers/base"; do
		taken "is in use, read-only, by guest 'mail' (domain *) as xvda;*" "$name"
	done
	by_mail /dev/mapper/e2e-over1 "$one" "$layers/cow1"
	xl destroy mail
	same_residue "$before"
}

@test "an image that QEMU serves to a guest is refused to others" {
	local served=$E2E_WORK/served.img
	image served
	guest_paused mail "disk=['format=raw,backendtype=qdisk,vdev=xvda,access=w,target=$served']"
	by_mail "$served"
	refused "Disk '$served' is in use, read-write, by guest 'mail'" xl block-attach web "$served,raw,xvdb,w"
	xl block-detach web xvdb
	xl destroy mail
	free_to "$served"
	same_residue "$before"
}

@test "a guest's image is attached with direct I/O and sectors of 512 bytes" {
	local loop
	loop=$(loops | sed -n "s|^/dev/\(loop[0-9]*\) $E2E_WORK/web.img$|\1|p")
	[[ $(<"/sys/block/$loop/loop/dio") == 1 ]]
	[[ $(<"/sys/block/$loop/queue/logical_block_size") == 512 ]]
	(($(<"/sys/block/$loop/queue/discard_max_bytes") > 0))
}

@test "image files are attached on a host without direct I/O" {
	mkdir -p "$layers/tmpfs"
	mount -t tmpfs tmpfs "$layers/tmpfs"
	image=$layers/tmpfs/image
	truncate -s 8M "$image"
	xl block-attach web "$image,raw,xvdb,w"
	within 30 has_sector "$image" web xvdb
	xl block-detach web xvdb
	within 15 umount "$layers/tmpfs"
	same_residue "$before"
}
