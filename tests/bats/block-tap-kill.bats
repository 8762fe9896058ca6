# SPDX-License-Identifier: LGPL-2.1-only
# block-tap, killed at any moment, and with tap-ctl failing, hanging or killed at
# each of its calls: the detach that follows leaves no tapdisk, number or loop device.

load ../lib/host
load ../lib/enumerate
load ../lib/tap

setup() {
	host_start
	domain 1
	domain 2
	tap_start
	vhd_image disk.vhd
	subject_is vbd3 block-tap "vhd:$image"
	subject_nodes
	mkdir "$BATS_TEST_TMPDIR/bin"
}

teardown() {
	local status=0
	report_moment
	libxl detach
	host_stop || status=1
	tap_stop
	return "$status"
}

# What enumerate.bash does with an image, it does here with one behind a tapdisk.

# assert_disk_attached
assert_disk_attached() {
	local pid
	pid=$(tapdisks | sed -n "s|^pid=\([0-9]*\) minor=0 state=0w args=vhd:$image\$|\1|p")
	assert_node "$subject_path/physical-device-path" "/run/blktap-control/nbd$pid.0"
	assert_node "$subject_path/hotplug-status" connected
}

# assert_nothing_held
assert_nothing_held() {
	local left
	clear_killed
	left=$(nothing_held_but)$(tap_residue)
	[[ ! $left ]] || {
		printf 'left behind:\n%s\n' "$left"
		return 1
	}
}

# clear_killed
# The socket of a tapdisk that was killed with the tap-ctl that was starting it,
# before it was one: not even tap-ctl sees it.
clear_killed() {
	local socket
	for socket in "$tap_control"/ctl*; do
		[[ ! -e $socket || $(readlink "/proc/${socket##*ctl}/exe") == */sleep ]] || rm "$socket"
	done
}

@test "an attach killed at any moment is detached without residue" {
	killed_everywhere attach 49
}

@test "a detach killed at any moment is completed by the next one" {
	killed_everywhere detach 44
}

# tap_fault attach|detach <subcommand> <shell code>
# tap-ctl does what the code says, where $real is the real one, when it is
# called for this.
tap_fault() {
	moment="$1, $2: $3"
	rm -f "$BATS_TEST_TMPDIR"/bin/*
	hash -r
	program "$BATS_TEST_TMPDIR/bin/tap-ctl" <<-END
		#!/bin/bash
		real=$(type -P tap-ctl)
		# Above this one are the worker, and the parent.
		ancestor() { read -r _ _ _ process _ </proc/\$process/stat; }
		killed() { process=\$\$; ancestor; ancestor; kill -KILL "\$process"; }
		[[ \$1 != $2 ]] || { $3; }
		exec "\$real" "\$@"
	END
	libxl "$1" timeout "$in_time" env "PATH=$BATS_TEST_TMPDIR/bin:$PATH"
	rm "$BATS_TEST_TMPDIR/bin/tap-ctl"
	hash -r
}

@test "if a call of tap-ctl fails, before or after its work, the next detach leaves nothing" {
	local what which tried=0
	# shellcheck disable=SC2016 # the stand-in expands
	for what in 'exit 1' '"$real" "$@"; exit 1' '"$real" "$@" >/dev/null; exit 0' '"$real" "$@"; kill -KILL $$'; do
		for which in spawn allocate attach open; do
			sampled || continue
			subject_nodes
			tap_fault attach "$which" "$what"
			assert_all_or_nothing
			assert_detaches
			tried=$((tried + 1))
		done
		for which in list close detach free; do
			sampled || continue
			subject_nodes
			libxl attach
			libxl_goes
			tap_fault detach "$which" "$what"
			((ended == 0)) || assert_sentence "$(tail -n 1 "$said")"
			assert_detaches
			tried=$((tried + 1))
		done
	done
	assert_works_again
	say_tried "$tried" calls 32
}

@test "after a kill at the end of a tap-ctl call, the detach releases the result of the call" {
	local which
	for which in spawn allocate attach open; do
		subject_nodes
		# shellcheck disable=SC2016 # the stand-in expands
		tap_fault attach "$which" '"$real" "$@" >/dev/null; killed; exec sleep 100'
		assert_ended 137
		assert_detaches
	done
	for which in close detach free; do
		subject_nodes
		libxl attach
		libxl_goes
		# shellcheck disable=SC2016 # the stand-in expands
		tap_fault detach "$which" '"$real" "$@" >/dev/null; killed; exec sleep 100'
		assert_ended 137
		assert_detaches
	done
	assert_works_again
}

@test "a minor that another program allocated is left alone, even if ours is unknown" {
	host tap-ctl allocate
	# shellcheck disable=SC2016 # the stand-in expands
	tap_fault attach allocate '"$real" "$@" >/dev/null; killed; exec sleep 100'
	assert_ended 137
	[[ -e $tap_control/tapdisk/tapdisk-1 ]]
	libxl_goes
	libxl detach
	assert_ended 0
	[[ "$(tap_residue)" == *"minor=0"* ]]
	[[ ! -e $tap_control/tapdisk/tapdisk-1 ]]
	host tap-ctl free -m 0
	assert_nothing_held
}

@test "a hanging tap-ctl is killed and its work is rolled back" {
	local which
	for which in spawn open; do
		subject_nodes
		# shellcheck disable=SC2016 # the stand-in expands
		tap_fault attach "$which" '"$real" "$@" >/dev/null; exec sleep 100'
		assert_all_or_nothing
		assert_ended 1
		assert_detaches
	done
	assert_works_again
}

# one_tapdisk
one_tapdisk() {
	[[ "$(tapdisks)" == "pid="*" args=vhd:$image" ]]
}

@test "a killed attach to a shared tapdisk does not disturb the other device" {
	subject_settings+=(mode r)
	subject_nodes
	vbd3 2 51712 "vhd:$image" mode r
	call block-tap add vbd3 2 51712
	killed_with_others 32 : one_tapdisk
	call block-tap remove vbd3 2 51712
	assert_nothing_held
}
