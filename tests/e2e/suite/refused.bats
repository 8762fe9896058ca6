#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What xl prints to the person where an attach fails, and what that leaves.

load ../lib/xen.bash
teardown() { e2e_teardown; }
setup() {
	guest web 11
	before=$(residue)
}

@test "the refusal names an image that does not exist" {
	# Without script= xl looks for the file itself, and says so.
	refused "'/nowhere.img' does not exist" \
		xl block-attach web 'format=raw,vdev=xvdb,access=w,script=block,target=/nowhere.img'
	xl block-detach web xvdb
	same_residue "$before"
}

@test "the refusal names a dangling link and its target" {
	ln -sfn "$E2E_WORK/nowhere.img" "$E2E_WORK/link.img"
	refused "'$E2E_WORK/link.img' is a symbolic link to '$E2E_WORK/nowhere.img', which does not exist" \
		xl block-attach web "format=raw,vdev=xvdb,access=w,script=block,target=$E2E_WORK/link.img"
	xl block-detach web xvdb
	same_residue "$before"
}

@test "a device that dom0 has mounted is refused with its mount point" {
	local device
	image mounted
	mkfs.ext4 -q "$image"
	device=$(losetup --find --show "$image")
	mkdir -p "$E2E_WORK/mounted"
	mount "$device" "$E2E_WORK/mounted"
	refused "Disk '$device' is mounted on '$E2E_WORK/mounted' in this host; unmount it there first" xl block-attach web "phy:$device,xvdb,w"
	xl block-detach web xvdb
	umount "$E2E_WORK/mounted"
	losetup -d "$device"
	same_residue "$before"
}

@test "the refusal names a bridge that does not exist, and how to make it" {
	refused "The bridge 'nobr' does not exist; create it (ip link add nobr type bridge)" \
		xl network-attach web bridge=nobr
	xl network-detach web 1
	same_residue "$before"
}

@test "the refusal names a vifname in use" {
	refused "cannot have the vifname 'xenbr0', because another interface has that name" \
		xl network-attach web bridge=xenbr0 vifname=xenbr0
	xl network-detach web 1
	same_residue "$before"
}

@test "a guest whose bridge does not exist is not created and leaves nothing" {
	guest_config mail 12 "vif=['bridge=nobr']"
	refused "The bridge 'nobr' does not exist" xl create "$E2E_WORK/mail.cfg"
	run ! xl domid mail
	same_residue "$before"
}
