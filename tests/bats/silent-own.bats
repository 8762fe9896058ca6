# SPDX-License-Identifier: LGPL-2.1-only
# A guest's own disk, whose loop device is on a file server that does not answer: a repeated
# attach names the server, and no other guest.
# bats file_tags=waits

load ../lib/host
load ../lib/observe
load ../lib/fuse

setup() {
	own=own-$$.img
	fuse_host "$own"
	vbd 1 51712 "$here/view/$own"
	block_add 1 51712
	loop=$(store_get backend/vbd/1/51712/physical-device-path)
}

teardown() {
	fuse_host_stop
}

@test "a repeated attach of a guest's own disk on a silent server names the server" {
	xenstore-rm backend/vbd/1/51712
	vbd 1 51712 "$here/view/$own"
	kill -STOP "$fuse_pid"
	run block_add 1 51712
	assert_refused backend/vbd/1/51712 error "The file server of '$here/view/$own' does not answer, so '$loop' is still attached to it"
}

@test "an attach of a guest's own disk by a local path names the silent server of its loop device" {
	xenstore-rm backend/vbd/1/51712
	vbd 1 51712 "$here/real/$own"
	kill -STOP "$fuse_pid"
	run block_add 1 51712
	assert_refused backend/vbd/1/51712 error "The file server of '$here/view/$own' does not answer, so '$loop' is still attached to it"
	kill -CONT "$fuse_pid"
	block_add 1 51712
}

@test "a loop device of the guest's own without a journal is named only while its server is silent" {
	xenstore-rm backend/vbd/1/51712
	vbd 1 51712 "$here/real/$own"
	rm "$here/run/xen-hotplug/vbd-1-51712"
	kill -STOP "$fuse_pid"
	run block_add 1 51712
	assert_refused backend/vbd/1/51712 busy "may be '$here/view/$own' on '$loop'"
	kill -CONT "$fuse_pid"
	block_add 1 51712
	losetup -d "$loop"
}
