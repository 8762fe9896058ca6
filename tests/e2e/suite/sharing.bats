#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# One disk and two guests.

load ../lib/xen.bash
teardown() { e2e_teardown; }
setup() {
	guest web 11
	before=$(residue)
}

@test "a second guest that writes an image is not created, and xl names the first" {
	guest_config mail 12 "disk=['$E2E_WORK/web.img,raw,xvda,w']"
	refused "Disk '$E2E_WORK/web.img' is in use, read-write, by guest 'web' (domain $(xl domid web)) as xvda; detach it there first, or share it deliberately with script=block-shared (mode=w!)." \
		xl create "$E2E_WORK/mail.cfg"
	run ! xl domid mail
	same_residue "$before"
}

@test "guests that only read share an image, and a writer is refused" {
	image library
	guest_paused one "disk=['$E2E_WORK/library.img,raw,xvda,r']"
	guest_paused two "disk=['$E2E_WORK/library.img,raw,xvda,r']"
	guest_config mail 12 "disk=['$E2E_WORK/library.img,raw,xvda,w']"
	refused "Disk '$E2E_WORK/library.img' is in use, read-only, by guest " xl create "$E2E_WORK/mail.cfg"
	xl destroy one
	xl destroy two
	same_residue "$before"
}

@test "a reader is refused an image that another guest writes" {
	guest_config mail 12 "disk=['$E2E_WORK/web.img,raw,xvda,r']"
	refused "Disk '$E2E_WORK/web.img' is in use, read-write, by guest 'web'" xl create "$E2E_WORK/mail.cfg"
	same_residue "$before"
}

@test "with script=block-shared, two guests write one image" {
	image cluster
	guest mail 12
	within_shared=$(residue)
	xl block-attach web "vdev=xvdb,access=w,script=block-shared,target=$image"
	within 30 has_sector "$image" web xvdb
	xl block-attach mail "vdev=xvdc,access=w,script=block-shared,target=$image"
	within 30 has_sector "$image" mail xvdc
	xl block-detach web xvdb
	xl block-detach mail xvdc
	same_residue "$within_shared"
	xl destroy mail
	same_residue "$before"
}

@test "one of two guests that start in parallel with one image gets it" {
	local name starts=()
	image shared
	for name in one two; do
		guest_config "$name" 12 'memory=96' 'vif=[]' "disk=['$E2E_WORK/shared.img,raw,xvda,w']"
		xl create -p "$E2E_WORK/$name.cfg" >"$E2E_WORK/$name.out" 2>&1 &
		starts+=($!)
	done
	wait "${starts[0]}" || :
	wait "${starts[1]}" || :
	cat "$E2E_WORK"/{one,two}.out
	[[ $(xl list | grep -cE '^(one|two) ') == 1 ]]
	[[ $(loops | grep -cF shared.img) == 1 ]]
	grep -hF "Disk '$E2E_WORK/shared.img' is in use, read-write, by guest" "$E2E_WORK"/{one,two}.out
	xl destroy one || xl destroy two
	same_residue "$before"
}
