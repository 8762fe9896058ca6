# SPDX-License-Identifier: LGPL-2.1-only
# block-shared: one disk for several guests to write.

load ../lib/host
load ../lib/observe

setup() {
	host_start
	domain 1
	domain 2
	image disk.img
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	block_add 1 51712
}

teardown() {
	host_stop
}

@test "block-shared gives a guest another guest's disk to write, without mode=w!" {
	call block-shared add vbd 2 51712
	assert_node backend/vbd/2/51712/hotplug-status connected
	[[ "$(read_only "$image")" == $'0\n0' ]]
}

@test "the detach of a block-shared disk leaves it with the other guest" {
	call block-shared add vbd 2 51712
	call block-shared remove vbd 2 51712
	[[ $(host_loops | wc -l) == 1 ]]
	call block check vbd 1 51712
}

@test "block refuses a disk that block-shared attached" {
	block_remove 1 51712
	call block-shared add vbd 2 51712
	vbd 1 51728 "$image"
	run block_add 1 51728
	[[ "$status" -ne 0 ]]
	assert_refused backend/vbd/1/51728 busy 'share it deliberately with script=block-shared (mode=w!)'
}

@test "a failed rollback of a refused attach does not hide that the disk is busy" {
	local environment
	cat >"$BATS_TEST_TMPDIR/block-stuck" <<-END
		#!/bin/bash
		. "$scripts/hotplug.sh"
		device block 'A disk with something that cannot be undone.'
		target disk 'The disk.'
		stuck_acquire() { :; }
		stuck_release() { reason='It is stuck.'; return 1; }
		resources() {
			use stuck
			use disk "\$target" "\$mode"
		}
		hotplug "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/block-stuck"
	libxl_environment vbd 2 51712
	run host env "${environment[@]}" "$BATS_TEST_TMPDIR/block-stuck" add
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/2/51712 busy "by guest 'guest1'"
	rm "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-2-51712"
}
