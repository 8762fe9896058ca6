#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Files that are opened for a program, on a file server that does not answer: a sentence, in time.
# bats file_tags=waits

load ../lib/helper
load ../lib/fuse

setup() {
	helper_setup
	image=$PWD/view/silent.qcow2
	fuse_mount real view
	qemu-img create -q -f qcow2 real/silent.qcow2 4M
	device 1
	claim 1 w "$image"
	kill -STOP "$fuse_pid"
}

teardown() {
	local status=0
	fuse_answers
	helper_teardown || status=1
	fuse_stop
	return "$status"
}

unanswered="cannot be opened, because its file server has not answered for 8 s; see whether it is running, then try again."

@test "a command whose file is on a silent server is not started" {
	call run --held "$dev=$image" -- touch started
	ended 1 "The image '$image' $unanswered"
	[[ ! -e started ]]
}

@test "a header on a silent server is not read" {
	call image --format qcow2 "$image"
	ended 1 "The image '$image' $unanswered"
	call image --format qcow2 --held "$dev=$image" "$image"
	ended 1 "The image '$image' $unanswered"
}

@test "a loop device whose file is on a silent server serves nobody" {
	call serves "$$" "$dev"
	ended 1 "The file server of the loop device '$dev' has not answered for 8 s; see whether it is running, then try again."
}

@test "a silent server does not keep a command from a local file" {
	image=$PWD/local.img
	truncate -s 1M "$image"
	claim 2 w "$image"
	call run --held "$dev=$image" -- true
	done_with
}
