# SPDX-License-Identifier: LGPL-2.1-only
# block-dummy: block's disk, under another name.

load ../lib/host
load ../lib/observe

setup() {
	host_start
	domain 1
	domain 2
	image disk.img
}

teardown() {
	host_stop
}

@test "block-dummy attaches and detaches an image, with and without Xen's prefix" {
	local prefix
	for prefix in '' dummy:; do
		vbd 1 51712 "$prefix$image"
		call block-dummy add vbd 1 51712
		assert_node backend/vbd/1/51712/node "$(loop_of "$image")"
		call block-dummy remove vbd 1 51712
		assert_residue_free
		xenstore-rm backend/vbd/1/51712
	done
}

@test "block-dummy refuses a second guest" {
	vbd 1 51712 "$image"
	vbd 2 51712 "dummy:$image"
	block_add 1 51712
	run call block-dummy add vbd 2 51712
	assert_failed backend/vbd/2/51712 busy "by guest 'guest1'"
}

@test "block-dummy refuses a target that is not a path" {
	vbd 1 51712 dummy:
	run call block-dummy add vbd 1 51712
	assert_failed backend/vbd/1/51712 error 'which is not an absolute path, or the name of a device under /dev'
}
