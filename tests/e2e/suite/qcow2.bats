#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Disks from image files in QEMU's formats, which blkback gets through qemu-nbd.

load ../lib/xen.bash
load ../lib/nbd.bash
teardown() { e2e_teardown; }
setup() {
	guest web 11
	modprobe nbd
	before=$(nbd_residue)
	file=$E2E_WORK/disk.qcow2
	qemu-img create -q -f qcow2 "$file" 8M
}

# attach <guest> <disk> <target> [access]
attach() {
	xl block-attach "$1" "script=block-qcow2,vdev=$2,access=${4-w},target=$3"
}

# has_sector_within <format> <file> <guest> <disk>
# The same as has_sector, of an image that nobody has open.
has_sector_within() {
	qemu-img check -q -f "$1" "$2" || [[ $1 != qcow2 ]] || return
	qemu-img convert -f "$1" -O raw "$2" "$E2E_WORK/converted.img" || return
	has_sector "$E2E_WORK/converted.img" "$3" "$4"
}

@test "a guest's writes to a qcow2 and a vmdk are in the image" {
	local format taken
	qemu-img create -q -f vmdk "$E2E_WORK/disk.vmdk" 8M
	for format in qcow2 vmdk; do
		taken=$(said web 'web has xvdb')
		attach web xvdb "file=$E2E_WORK/disk.$format,format=$format"
		within 30 said_more web 'web has xvdb' "$taken"
		xl block-detach web xvdb
		same_nbd_residue "$before"
		has_sector_within "$format" "$E2E_WORK/disk.$format" web xvdb
	done
}

@test "a guest that runs on a qcow2 is destroyed without residue, and its writes are in the image" {
	guest_config mail 12 "disk=['script=block-qcow2,vdev=xvda,access=w,target=file=$file']"
	xl create "$E2E_WORK/mail.cfg"
	guest_answers 10.9.0.12
	within 30 said_more mail 'mail has xvda' 0
	xl destroy mail
	same_nbd_residue "$before"
	has_sector_within qcow2 "$file" mail xvda
}

@test "two guests' qcow2 images share a base, and no guest may write it" {
	local base taken
	image base
	base=$image
	qemu-img create -q -f qcow2 -b "$base" -F raw "$E2E_WORK/one.qcow2"
	qemu-img create -q -f qcow2 -b "$base" -F raw "$E2E_WORK/two.qcow2"
	taken=$(said web 'web has xvdb')
	attach web xvdb "file=$E2E_WORK/one.qcow2,backing=$base"
	within 30 said_more web 'web has xvdb' "$taken"
	guest_paused one "disk=['script=block-qcow2,vdev=xvda,access=w,target=file=$E2E_WORK/two.qcow2,backing=$base']"
	refused "Disk '$base' is in use, read-only, by guest " xl block-attach web "$base,raw,xvdc,w"
	xl block-detach web xvdc
	refused "Disk '$E2E_WORK/two.qcow2' is in use, read-write, by guest 'one'" attach web xvdc "file=$E2E_WORK/two.qcow2,backing=$base"
	xl block-detach web xvdc
	xl block-detach web xvdb
	xl destroy one
	same_nbd_residue "$before"
	[[ ! $(tr -d '\0' <"$base") ]]
	has_sector_within qcow2 "$E2E_WORK/one.qcow2" web xvdb
}

@test "a corrupt qcow2 is refused" {
	printf garbage | dd of="$file" conv=notrunc status=none
	refused 'is not in qcow2 format' attach web xvdb "file=$file"
	xl block-detach web xvdb
	same_nbd_residue "$before"
}

@test "a qcow2 whose qemu-nbd was killed, or whose file was deleted, is detached without residue" {
	guest_paused one "disk=['script=block-qcow2,vdev=xvda,access=w,target=file=$file']"
	pkill -KILL -x qemu-nbd
	xl destroy one
	same_nbd_residue "$before"
	guest_paused one "disk=['script=block-qcow2,vdev=xvda,access=w,target=file=$file']"
	rm "$file"
	xl destroy one
	same_nbd_residue "$before"
}
