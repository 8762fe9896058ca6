#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A file server that no longer answers: a FUSE server, stopped under a running guest.

load ../lib/xen.bash
setup() {
	guest web 11
	guest mail 12
	served=$E2E_WORK-served view=$E2E_WORK-view
	mkdir -p "$served" "$view"
	truncate -s 8M "$served/served.img"
	# In the foreground, so that this shell knows its process.
	bindfs -f "$served" "$view" 3>&- &
	server=$!
	within 30 test -e "$view/served.img"
	before=$(residue)
	xl block-attach web "$view/served.img,raw,xvdb,w"
	within 30 has_sector "$served/served.img" web xvdb
}
teardown() {
	kill -CONT "$server"
	e2e_teardown
	xl destroy mail || :
	umount "$view" || umount -l "$view"
	wait "$server" || :
	rm -rf -- "$served" "$view"
}

@test "while a file server is silent, other guests' disks come and go, and its own guest gets a sentence" {
	local round others
	image extra
	kill -STOP "$server"
	others=$(residue)
	for round in 1 2 3; do
		xl block-attach mail "$image,raw,xvdc,w"
		within 30 has_sector "$image" mail xvdc
		xl block-detach mail xvdc
	done
	# Without script=, libxl itself would ask the server for the file, and wait.
	refused 'its file server has not answered' xl block-attach mail "script=block,vdev=xvdd,access=w,target=$view/served.img"
	xl block-detach mail xvdd || :
	guest_does mail true
	same_residue "$others"
	kill -CONT "$server"
	xl block-detach web xvdb
	same_residue "$before"
}
