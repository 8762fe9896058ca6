# SPDX-License-Identifier: LGPL-2.1-only
# block-tap, with a stand-in for tap-ctl (tests/stand-ins/tap-ctl), whose tapdisks are
# processes, and with real image files and loop devices.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/tap

setup() {
	host_start
	domain 1
	domain 2
	tap_start
	vhd_image disk.vhd
}

teardown() {
	local status=0 id
	for id in 1 2 3 4 5; do
		tap_remove_disk "$id" || status=1
	done
	assert_no_tap || status=1
	host_stop || status=1
	tap_stop
	return "$status"
}

# The calls, each with the domid.
tap_add_disk() { call block-tap add vbd3 "$1" 51712; }
tap_remove_disk() { call block-tap remove vbd3 "$1" 51712; }

# refused <part of the sentence> [hotplug-status]
# An add of guest 1's disk says so, and leaves nothing.
refused() {
	run tap_add_disk 1
	assert_failed backend/vbd3/1/51712 "${2:-error}" "$1"
	assert_refused backend/vbd3/1/51712 "${2:-error}" "$1"
	assert_residue_free
	assert_no_tap
}

@test "add starts a tapdisk and publishes its socket, but no device number" {
	vbd3 1 51712 "vhd:$image"
	nodes_remember
	tap_add_disk 1
	pid=$(tapdisks | sed -n "s|^pid=\([0-9]*\) minor=0 state=0w args=vhd:$image\$|\1|p")
	[[ -S $tap_control/nbd$pid.0 ]]
	assert_changed "/local/domain/0/backend/vbd3/1/51712/hotplug-status = \"connected\"" \
		"/local/domain/0/backend/vbd3/1/51712/node = \"/run/blktap-control/nbd$pid.0\"" \
		"/local/domain/0/backend/vbd3/1/51712/physical-device-path = \"/run/blktap-control/nbd$pid.0\""
}

@test "remove ends the tapdisk and frees its minor and image" {
	vbd3 1 51712 "vhd:$image"
	tap_add_disk 1
	[[ "$(loop_of "$image")" ]]
	tap_remove_disk 1
	assert_no_tap
	assert_residue_free
	tap_remove_disk 1
}

@test "raw images, read-only images and paths with spaces and quotes work" {
	image $'a "b" \'c\' $(touch pwned) ; * -d'
	vbd3 1 51712 "aio:$image" mode r
	tap_add_disk 1
	[[ "$(tapdisks)" == *"state=0r args=aio:$image" ]]
	[[ "$(read_only "$image")" == 1 ]]
	tap_remove_disk 1
	[[ ! -e /pwned ]]
}

@test "a second add changes nothing" {
	vbd3 1 51712 "vhd:$image"
	tap_add_disk 1
	before=$(tapdisks)
	tap_add_disk 1
	[[ "$(tapdisks)" == "$before" ]]
}

@test "an add starts four programs" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/tap-ctl" <<-END
		#!/bin/bash
		echo "\$1" >>$BATS_TEST_TMPDIR/starts
		exec $(type -P tap-ctl) "\$@"
	END
	vbd3 1 51712 "vhd:$image"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH tap_add_disk 1
	[[ "$(<"$BATS_TEST_TMPDIR/starts")" == $'spawn\nallocate\nattach\nopen' ]]
}

@test "with blktap in the kernel, blkback gets a block device" {
	phy_device
	ln -s "$phy" "$BATS_TEST_TMPDIR/tapdev0"
	TAP_KERNEL=$BATS_TEST_TMPDIR tap_program
	vbd 1 51712 "vhd:$image"
	call block-tap add vbd 1 51712
	assert_node backend/vbd/1/51712/physical-device "$(stat -c %t:%T "$phy")"
	assert_node backend/vbd/1/51712/physical-device-path "$BATS_TEST_TMPDIR/tapdev0"
	call block-tap remove vbd 1 51712
	assert_no_tap
	assert_residue_free
}

@test "without blktap in the kernel, a disk for blkback is refused and the error names backendtype=tap" {
	vbd 1 51712 "vhd:$image"
	run call block-tap add vbd 1 51712
	assert_failed backend/vbd/1/51712 error 'backendtype=tap'
	assert_no_tap
	assert_residue_free
}

@test "two guests that only read an image share a tapdisk" {
	local first
	for first in 1 2; do
		vbd3 1 51712 "vhd:$image" mode r
		vbd3 2 51712 "vhd:$image" mode r
		tap_add_disk 1
		tap_add_disk 2
		[[ "$(tapdisks | wc -l)" == 1 ]]
		[[ "$(store_get backend/vbd3/1/51712/physical-device-path)" == "$(store_get backend/vbd3/2/51712/physical-device-path)" ]]
		tap_remove_disk "$first"
		[[ "$(tapdisks | wc -l)" == 1 ]]
		[[ "$(tapdisks)" == *"args=vhd:$image" ]]
		tap_remove_disk $((3 - first))
		assert_no_tap
		xenstore-rm backend/vbd3/1/51712
		xenstore-rm backend/vbd3/2/51712
	done
}

@test "one VM has one tapdisk for an image, whatever names the image has" {
	domain 2 0000-1
	ln "$image" "$BATS_TEST_TMPDIR/hard.vhd"
	ln -s "$image" "$BATS_TEST_TMPDIR/soft.vhd"
	domain 3 0000-1
	vbd3 1 51712 "vhd:$image"
	vbd3 2 51712 "vhd:$BATS_TEST_TMPDIR/hard.vhd"
	vbd3 3 51712 "vhd:$BATS_TEST_TMPDIR/soft.vhd"
	tap_add_disk 1
	tap_add_disk 2
	tap_remove_disk 1
	tap_add_disk 3
	[[ "$(tapdisks | wc -l)" == 1 ]]
	tap_remove_disk 2
	[[ "$(tapdisks)" == *"args=vhd:$image" ]]
	tap_remove_disk 3
	assert_no_tap
}

@test "a second format of an image, or a writer on a read-only tapdisk, is refused" {
	vbd3 1 51712 "vhd:$image" mode r
	tap_add_disk 1
	vbd3 2 51712 "aio:$image" mode r
	run tap_add_disk 2
	assert_failed backend/vbd3/2/51712 error 'so it cannot be opened as aio'
	domain 2 0000-1
	nodes backend/vbd3/2/51712 params "vhd:$image" mode w
	run tap_add_disk 2
	assert_failed backend/vbd3/2/51712 error 'is open read-only for another disk'
	[[ "$(tapdisks | wc -l)" == 1 ]]
}

@test "a second guest of an image is refused, whatever the name and script" {
	ln "$image" "$BATS_TEST_TMPDIR/other.vhd"
	vbd3 1 51712 "vhd:$image"
	tap_add_disk 1
	vbd3 2 51712 "vhd:$BATS_TEST_TMPDIR/other.vhd"
	run tap_add_disk 2
	assert_failed backend/vbd3/2/51712 busy "guest 'guest1' (domain 1)"
	vbd 2 51712 "$image"
	run block_add 2 51712
	assert_failed backend/vbd/2/51712 busy "guest 'guest1' (domain 1)"
}

@test "an image that block has attached is refused" {
	vbd 2 51712 "$image"
	block_add 2 51712
	vbd3 1 51712 "vhd:$image"
	run tap_add_disk 1
	assert_failed backend/vbd3/1/51712 busy "guest 'guest2' (domain 2)"
	assert_no_tap
}

@test "a disk whose mode cannot be read shares nothing with another guest" {
	vbd3 1 51712 "vhd:$image"
	tap_add_disk 1
	vbd3 2 51712 "vhd:$image" mode r
	xenstore-rm backend/vbd3/1/51712/mode
	run tap_add_disk 2
	assert_failed backend/vbd3/2/51712 busy "guest 'guest1'"
}

@test "an invalid image, a missing one and a block device are each refused with one sentence" {
	image raw.img
	vbd3 1 51712 "vhd:$image"
	refused "tapdisk cannot open '$image' as vhd"
	nodes backend/vbd3/1/51712 params vhd:/nowhere
	refused "/nowhere"
	phy_device
	nodes backend/vbd3/1/51712 params "aio:$phy"
	refused "'$phy' is a block device"
}

@test "an invalid target does no harm" {
	local target tried=0
	vbd3 1 51712 ''
	for target in '' ' ' : aio: aio vhd "$image" "qcow2:$image" "aio:${image#/}" "-a:$image" $'aio:/a\nb' \
		"aio:/$(printf 'a%.0s' {1..300})" "vhd::$image" "AIO:$image" $'aio:/\xff\x01'; do
		sampled || continue
		xenstore-write -R -- backend/vbd3/1/51712/params "$target"
		refused 'which is not FORMAT:FILE'
		tried=$((tried + 1))
	done
	say_tried "$tried" values 15
}

@test "a name that becomes another file's before tapdisk opens it fails the attach" {
	vhd_image other.vhd
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/tap-ctl" <<-END
		#!/bin/bash
		[[ \$1 != open ]] || ln -sfn other.vhd $BATS_TEST_TMPDIR/link
		exec $(type -P tap-ctl) "\$@"
	END
	ln -s disk.vhd "$BATS_TEST_TMPDIR/link"
	vbd3 1 51712 "vhd:$BATS_TEST_TMPDIR/link"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH refused 'has not opened the file'
}

@test "remove succeeds if the tapdisk has ended by itself" {
	vbd3 1 51712 "vhd:$image"
	tap_add_disk 1
	pid=$(tapdisks | sed 's/pid=\([0-9]*\) .*/\1/')
	run call block-tap check vbd3 1 51712
	((status == 0))
	kill "$pid"
	until_true test ! -e "/proc/$pid"
	run call block-tap check vbd3 1 51712
	((status == 1))
	[[ $output == *'has ended'* ]]
	tap_remove_disk 1
	[[ ! "$(tapdisks)" ]]
	rm -r "$tap_control"
}

@test "a tapdisk that does not answer fails the remove" {
	vbd3 1 51712 "vhd:$image"
	tap_add_disk 1
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/tap-ctl" <<-'END'
		#!/bin/bash
		[[ $1 == list ]] || exit 110
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run tap_remove_disk 1
	((status == 1))
	[[ $output == *'does not answer tap-ctl'* ]]
	[[ "$(loop_of "$image")" ]]
	tap_remove_disk 1
	assert_residue_free
}

@test "a process that reuses the tapdisk's pid is left alone" {
	vbd3 1 51712 "vhd:$image"
	tap_add_disk 1
	pid=$(tapdisks | sed 's/pid=\([0-9]*\) .*/\1/')
	kill "$pid"
	sleep infinity 3>&- &
	sed -i "s/$pid/$!/g" "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd3-1-51712"
	mv "$tap_control/of-$pid" "$tap_control/of-$!"
	mv "$tap_control/ctl$pid" "$tap_control/ctl$!"
	tap_remove_disk 1
	kill -0 $!
	[[ "$(tapdisks)" == "pid=$! minor=0 state=0w args=vhd:$image" ]]
	kill $!
	rm -r "$tap_control"
}

@test "plan prints what an attach would do" {
	vbd3 1 51712 "vhd:$image"
	run call block-tap plan vbd3 1 51712
	((status == 0))
	[[ "$output" == "disk $image w"$'\n'"tap vhd:$image w" ]]
	assert_no_tap
}

@test "an attach while another guest's tapdisk ends gets a tapdisk of its own" {
	local going coming
	vbd3 1 51712 "vhd:$image" mode r
	vbd3 2 51712 "vhd:$image" mode r
	tap_add_disk 1
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/tap-ctl" <<-END
		#!/bin/bash
		[[ \$1 != close ]] || : >$BATS_TEST_TMPDIR/held
		until [[ \$1 != close || -e $BATS_TEST_TMPDIR/go ]]; do sleep 0.02; done
		exec $(type -P tap-ctl) "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH tap_remove_disk 1 &
	going=$!
	until_true test -e "$BATS_TEST_TMPDIR/held"
	tap_add_disk 2 &
	coming=$!
	until_true waits_or_ended "$coming"
	: >"$BATS_TEST_TMPDIR/go"
	wait "$going"
	wait "$coming"
	[[ "$(tapdisks)" == *"args=vhd:$image" ]]
	[[ "$(store_get backend/vbd3/2/51712/physical-device-path)" == "/run/blktap-control/nbd$(tapdisks | sed 's/pid=\([0-9]*\) .*/\1/').0" ]]
}

@test "no guest ends the tapdisk of another when guests attach and detach in parallel" {
	local round guest calls
	for guest in {1..5}; do
		domain "$guest"
	done
	for ((round = 0; round < 3; round++)); do
		calls=()
		for guest in {1..5}; do
			vbd3 "$guest" 51712 "vhd:$image" mode r
			tap_add_disk "$guest" &
			calls+=($!)
		done
		for guest in "${calls[@]}"; do wait "$guest"; done
		[[ "$(tapdisks | wc -l)" == 1 ]]
		calls=()
		for guest in {2..5}; do
			tap_remove_disk "$guest" &
			calls+=($!)
		done
		for guest in "${calls[@]}"; do wait "$guest"; done
		[[ "$(tapdisks)" == *"args=vhd:$image" ]]
		tap_remove_disk 1
		assert_no_tap
		for guest in {1..5}; do
			xenstore-rm "backend/vbd3/$guest/51712"
		done
	done
}
