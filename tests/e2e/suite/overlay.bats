#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A disk of a guest's own over a base that many read: block-overlay.

load ../lib/xen.bash
teardown() { e2e_teardown; }
setup() {
	guest web 11
	before=$(residue)
	image base
	base=$image
	cow=$E2E_WORK/web.cow
	rm -f "$cow"
	printf 'the base\n' | dd of="$base" conv=notrunc status=none
}

# overlay <guest> <options>
overlay() {
	xl block-attach "$1" "vdev=xvdb,script=block-overlay,access=w,target=base=$base,$2"
}

# mapping <guest> <devid>
# Prints the block device that its overlay is.
mapping() {
	local file
	file=$(grep -l "^xen-hotplug-vbd-$(xl domid "$1")-$2-" /sys/class/block/dm-*/dm/name) || return
	file=${file%/dm/name}
	printf '%s\n' "/dev/${file##*/}"
}

# nothing_left
nothing_left() {
	same_residue "$before"
	[[ ! $(compgen -G '/sys/class/block/dm-*') ]]
	[[ ! $(compgen -G "$E2E_WORK/*.vbd-*") ]]
	[[ $(first_line "$base") == 'the base' ]]
}

@test "a guest's writes stay in its overlay until the next attach, and never reach the base" {
	overlay web "file=$cow"
	within 30 has_sector "$(mapping web 51728)" web xvdb
	guest_paused mail
	refused "Disk '$base' is in use, read-only, by guest 'web'" xl block-attach mail "$base,raw,xvdb,w"
	xl destroy mail
	xl block-detach web xvdb
	nothing_left
	xl block-attach web "vdev=xvdb,script=block-overlay,access=r,target=base=$base,file=$cow"
	[[ $(first_line "$(mapping web 51728)") == 'guest web, disk xvdb' ]]
	xl block-detach web xvdb
	nothing_left
}

@test "guests share a base with temporary overlays, which the detach deletes" {
	overlay web persist=n
	within 30 has_sector "$(mapping web 51728)" web xvdb
	guest_paused mail "disk=['vdev=xvda,script=block-overlay,access=w,target=base=$base,persist=n']"
	[[ $(first_line "$(mapping mail 51712)") == 'the base' ]]
	xl destroy mail
	xl block-detach web xvdb
	nothing_left
}

@test "guests share a block device as base, and no guest may write it" {
	local device
	device=$(losetup --find --show "$base")
	before=$(residue)
	xl block-attach web "vdev=xvdb,script=block-overlay,access=w,target=base=$device,persist=n,file=$E2E_WORK/temporary"
	guest_paused mail "disk=['vdev=xvda,script=block-overlay,access=w,target=base=$device,persist=n,file=$E2E_WORK/temporary']"
	guest_paused one
	refused "Disk '$device' is in use, read-only, by guest " xl block-attach one "phy:$device,xvdb,w"
	xl destroy one
	xl destroy mail
	xl block-detach web xvdb
	same_residue "$before"
	losetup -d "$device"
	[[ ! $(compgen -G '/sys/class/block/dm-*') && ! $(compgen -G "$E2E_WORK/*.vbd-*") ]]
}
