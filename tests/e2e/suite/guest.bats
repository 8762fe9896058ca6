#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A guest from its start to its end.

load ../lib/xen.bash
teardown() { e2e_teardown; }

@test "a guest with a bridged interface and an image answers, and its writes reach the image" {
	guest web 11
	within 30 has_sector "$E2E_WORK/web.img" web xvda
	is_port "vif$(xl domid web).0"
}

@test "check reports no change for a running guest's devices" {
	guest web 11
	local domid
	domid=$(xl domid web)
	XENBUS_PATH=backend/vif/$domid/0 "$scripts/vif-bridge" check
	XENBUS_PATH=backend/vbd/$domid/51712 "$scripts/block" check
}

@test "a guest that reboots gets its disk and its interface again" {
	guest web 11
	local before
	before=$(xl domid web)
	xl sysrq web b
	within 90 rebooted web "$before"
	guest_answers 10.9.0.11
	[[ ! $(residue "$before") ]]
}
rebooted() {
	local now
	now=$(xl domid "$1") && [[ $now != "$2" ]]
}

@test "destroy leaves no loop device, port, journal, lock or program" {
	guest web 11
	xl destroy web
	run ! xl domid web
	same_residue ''
}

@test "a guest gets its disk after a boot loader in dom0 has read it" {
	local before
	before=$(residue)
	guest_config boot 13 "bootloader='$BATS_TEST_DIRNAME/../inside/boot-loader'" \
		"disk=['format=raw,vdev=xvda,access=w,script=block,target=$E2E_WORK/boot.img']"
	sed -i '/^kernel=/d; /^ramdisk=/d' "$E2E_WORK/boot.cfg"
	echo 'read by the boot loader' | dd of="$E2E_WORK/boot.img" conv=notrunc status=none
	xl create "$E2E_WORK/boot.cfg"
	guest_answers 10.9.0.13
	[[ $(<"$E2E_WORK/boot-loader.read") == 'read by the boot loader' ]]
	xl destroy boot
	same_residue "$before"
}
