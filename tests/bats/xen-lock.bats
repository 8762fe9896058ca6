# SPDX-License-Identifier: LGPL-2.1-only
# The lock "block" of Xen's scripts: they and others' check a block device and publish
# it under that, and so do ours. A stand-in for such a script keeps to the protocol.

load ../lib/host
load ../lib/observe
load ../lib/enumerate

setup() {
	host_start
	domain 1
	domain 2
	phy_device
	lock=$BATS_TEST_TMPDIR/run/xen-hotplug/block
	vbd 1 51712 "$phy"
	vbd 2 51712 "$phy"
	neighbour_make
}

# teardown
# What a test that failed has left waiting goes on.
teardown() {
	local pid
	: >"$BATS_TEST_TMPDIR/go"
	exec 8<&-
	for pid in "${ours-}" "${neighbour-}"; do
		[[ ! $pid ]] || wait "$pid" || :
	done
	report_moment
	host_stop
}

# neighbour_make
# A script that gives guest DOMID the block device, unless another guest has it. With
# the lock it waits until the file `go` is there; it says that it is so far in `at`.
neighbour_make() {
	program "$BATS_TEST_TMPDIR/neighbour" <<-END
		#!/bin/bash
		set -Eeuo pipefail
		lock=/run/xen-hotplug/block
		number=$(stat -c %t:%T "$phy")
		release() { rm -f "\$lock"; exit "\$1"; }
		mkdir -p "\${lock%/*}"
		while
			exec 9<>"\$lock"
			flock -x 9
			[[ ! /proc/self/fd/9 -ef \$lock ]]
		do exec 9<&-; done
		: >$BATS_TEST_TMPDIR/at
		for guest in 1 2; do
			[[ \$(xenstore-read backend/vbd/\$guest/51712/physical-device 2>/dev/null) != "\$number" ]] || release 1
		done
		until [[ -e $BATS_TEST_TMPDIR/go ]]; do read -r -t 0.01 _ <>$BATS_TEST_TMPDIR/never || :; done
		xenstore-write "backend/vbd/\$1/51712/physical-device" "\$number"
		release 0
	END
	mkfifo "$BATS_TEST_TMPDIR/never"
}

# neighbour <domid>
neighbour() {
	host "$BATS_TEST_TMPDIR/neighbour" "$1"
}

# neighbour_waits
# Starts it for guest 1: it has the lock, has looked, and has not published. Sets
# neighbour, its process.
neighbour_waits() {
	rm -f "$BATS_TEST_TMPDIR/go"
	neighbour 1 >"$BATS_TEST_TMPDIR/neighbour.said" 2>&1 3>&- &
	neighbour=$!
	until_true test -e "$BATS_TEST_TMPDIR/at"
}

# neighbour_goes_on
neighbour_goes_on() {
	: >"$BATS_TEST_TMPDIR/go"
	wait "$neighbour"
}

# waits_for <process>
# Does something below it wait for the lock?
waits_for() {
	local inode
	inode=$(stat -c %i "$lock")
	grep -q -e "-> FLOCK .*:$inode " /proc/locks || ! kill -0 "$1" 2>/dev/null
}

# fails <process>
fails() {
	local status=0
	wait "$1" || status=$?
	((status == 1))
}

# have
# Prints the guests that have the device.
have() {
	local guest
	for guest in 1 2; do
		[[ $(store_get "backend/vbd/$guest/51712/physical-device" 2>/dev/null) != "$(stat -c %t:%T "$phy")" ]] || echo "$guest"
	done
}

@test "an add of a device waits for a script that has the lock" {
	neighbour_waits
	block_add 2 51712 >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
	ours=$!
	until_true waits_for "$ours"
	kill -0 "$ours"
	neighbour_goes_on
	fails "$ours"
	assert_refused backend/vbd/2/51712 busy 'guest1'
	[[ "$(have)" == 1 ]]
}

@test "an add of an image does not wait for the lock" {
	image disk.img
	neighbour_waits
	vbd 2 51728 "$image"
	block_add 2 51728
	neighbour_goes_on
}

@test "an add has the lock until the device is published" {
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	program "$scripts/block-slow" <<-END
		#!/bin/bash -p
		# SPDX-License-Identifier: LGPL-2.1-only
		. "\${0%/*}/hotplug.sh"
		device block 'A disk that takes its time.'
		target disk 'The disk.'
		slow_acquire() {
			: >$BATS_TEST_TMPDIR/at
			until [[ -e $BATS_TEST_TMPDIR/go ]]; do read -r -t 0.01 _ <>$BATS_TEST_TMPDIR/never || :; done
		}
		slow_release() { :; }
		resources() {
			use disk "\$target" "\$mode"
			use slow
		}
		hotplug "\$@"
	END
	call block-slow add vbd 2 51712 >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
	ours=$!
	until_true test -e "$BATS_TEST_TMPDIR/at"
	run ! flock --nonblock --exclusive "$lock" true
	neighbour 1 >"$BATS_TEST_TMPDIR/neighbour.said" 2>&1 3>&- &
	neighbour=$!
	until_true waits_for "$neighbour"
	: >"$BATS_TEST_TMPDIR/go"
	wait "$ours"
	fails "$neighbour"
	[[ "$(have)" == 2 ]]
	[[ ! -e $lock ]]
	call block-slow remove vbd 2 51712
}

@test "of a script of another's and ours, at once, never both get the device" {
	local round first second none=0
	: >"$BATS_TEST_TMPDIR/go"
	for ((round = 0; round < 40; round++)); do
		neighbour 1 >"$BATS_TEST_TMPDIR/neighbour.said" 2>&1 3>&- &
		first=$!
		block_add 2 51712 >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
		second=$!
		wait "$first" || :
		wait "$second" || :
		[[ "$(have | wc -l)" -le 1 ]]
		[[ "$(have)" ]] || none=$((none + 1))
		block_remove 2 51712
		xenstore-rm backend/vbd/1
		xenstore-rm backend/vbd/2
		vbd 1 51712 "$phy"
		vbd 2 51712 "$phy"
	done
	((none == 0))
}

@test "with eight of each at once, one gets the device" {
	local i calls=()
	: >"$BATS_TEST_TMPDIR/go"
	for ((i = 0; i < 8; i++)); do
		neighbour 1 >"$BATS_TEST_TMPDIR/neighbour.said" 2>&1 3>&- &
		calls+=($!)
		block_add 2 51712 >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
		calls+=($!)
	done
	for i in "${calls[@]}"; do wait "$i" || :; done
	[[ "$(have | wc -l)" == 1 ]]
}

@test "adds of ours do not wait for each other" {
	mkdir -p "${lock%/*}"
	chmod 700 "${lock%/*}"
	exec 8<>"$lock"
	flock --shared 8
	block_add 2 51712
	exec 8<&-
	[[ "$(have)" == 2 ]]
}

@test "a lock file that its holder unlinks is given up for the next one" {
	mkdir -p "${lock%/*}"
	chmod 700 "${lock%/*}"
	exec 8<>"$lock"
	flock --exclusive 8
	block_add 2 51712 >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- 8<&- &
	ours=$!
	until_true waits_for "$ours"
	# The next script has the lock before ours is awake.
	rm "$lock"
	exec 7<>"$lock"
	flock --exclusive 7
	exec 8<&-
	until_true waits_for "$ours"
	kill -0 "$ours"
	exec 7<&-
	wait "$ours"
	[[ "$(have)" == 2 ]]
}

@test "after a kill of an add at any moment, the lock is free" {
	local line tried=0
	xenstore-rm backend/vbd/2
	subject_is vbd block "$phy"
	killed_subject attach
	moments_of attach
	assert_detaches
	for line in "${moments[@]}"; do
		sampled || continue
		killed_subject attach
		signalled_at attach parent "${line%% *}" KILL
		if moment_came parent "${line%% *}"; then tried=$((tried + 1)); else sample_next; fi
		until_true lock_is_free
		assert_detaches
	done
	say_tried "$tried" moments 20
}

# lock_is_free
lock_is_free() {
	[[ ! -e $lock ]] || flock --nonblock --exclusive "$lock" true
}
