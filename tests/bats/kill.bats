# SPDX-License-Identifier: LGPL-2.1-only
# SIGKILL at any moment, to the script alone as libxl does it, or to a program
# that it had started: the detach that follows leaves nothing, and soon.

load ../lib/host
load ../lib/enumerate

setup() {
	host_start
	domain 1
}

teardown() {
	report_moment
	host_stop
}

# helper_moments_of attach|detach
# Makes the call in peace, and sets the array moments to when the helper could
# be killed: its start, a system call's name, and how often it was made by then.
# What only asks the kernel is left out: all loop devices of the machine are asked.
helper_moments_of() {
	local start
	helper_traces "$1"
	moments=()
	for ((start = 1; start <= started; start++)); do
		mapfile -t -O "${#moments[@]}" moments < <(awk -F '(' -v start="$start" '
			{ n[$1]++ }
			$1 !~ /^[a-z0-9_]+$/ || $1 == "fcntl" && !/F_OFD_SETLKW/ || /, (LOOP_GET|BLK)[A-Z0-9_]*,/ { next }
			{ print start, $1, n[$1] }
		' "$BATS_TEST_TMPDIR/trace.$start")
	done
}

# helper_traces attach|detach
# Makes the opposite call, and then the call with a trace of each helper. Sets
# started to how many there were.
helper_traces() {
	: >"$starts"
	# shellcheck disable=SC2016 # the stand-in expands
	printf 'exec strace -D -qq -o %q.$start -e signal=none -e trace=%q "$real" "$@"\n' \
		"$BATS_TEST_TMPDIR/trace" "$helper_moment_calls" >"$on_start"
	[[ $1 == detach ]] || assert_detaches
	subject_nodes
	[[ $1 == attach ]] || libxl attach
	[[ $1 == attach ]] || libxl_goes
	: >"$starts"
	libxl "$1"
	assert_ended 0
	started=$(wc -l <"$starts")
}

# helper_killed_at attach|detach <start> <system call> <number>
# Makes the call, and kills the helper there.
helper_killed_at() {
	moment="$1: helper $2 killed at $3 $4"
	killed_subject "$1"
	: >"$starts"
	# shellcheck disable=SC2016 # the stand-in expands
	printf '((start != %s)) || exec strace -D -qq -o /dev/null -e trace=%s -e inject=%s:signal=KILL:when=%s "$real" "$@"\n' \
		"$2" "$3" "$3" "$4" >"$on_start"
	libxl "$1"
	: >"$on_start"
}

# kill_helper_everywhere attach|detach <least number of moments>
kill_helper_everywhere() {
	local line at tried=0
	tree_copy
	helper_stand_in
	libxl attach
	helper_moments_of "$1"
	[[ $1 == detach ]] || assert_detaches
	for line in "${moments[@]}"; do
		sampled || continue
		read -ra at <<<"$line"
		helper_killed_at "$1" "${at[@]}"
		[[ $1 == detach ]] || assert_all_or_nothing
		assert_detaches
		tried=$((tried + 1))
	done
	assert_works_again
	assert_residue_free
	say_tried "$tried" moments "$2"
}

@test "a vif whose attach was killed at any moment is detached without residue" {
	subject_make vif
	killed_everywhere attach 20
}

@test "a tap whose attach was killed at any moment is detached without residue" {
	subject_make tap
	killed_everywhere attach 20
}

@test "a vif whose detach was killed at any moment is detached by the next call" {
	subject_make vif
	killed_everywhere detach 10
}

@test "a disk whose attach was killed at any moment is detached without residue" {
	subject_make disk
	killed_everywhere attach 12
}

@test "a disk whose detach was killed at any moment is detached by the next call" {
	subject_make disk
	killed_everywhere detach 8
}

@test "after a kill in the middle of ip's batch, the detach reverts the lines that ip had run" {
	local applied=0 due killed
	subject_make vif
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		# Above this one are the request, the session, and the script.
		read -r _ _ _ request _ </proc/\$\$/stat
		read -r _ _ _ session _ </proc/\$request/stat
		read -r _ _ _ script _ </proc/\$session/stat
		read -r due <$BATS_TEST_TMPDIR/due
		line() {
			$(command -v ip) "\$@" || exit
			((due-- != 1)) || kill -KILL "\$script"
			echo "\$due" >$BATS_TEST_TMPDIR/due
		}
		if [[ \$1 == -batch ]]; then
			while read -ra words; do line "\${words[@]}"; done
		else
			line "\$@"
		fi
	END
	for ((due = 1, killed = 137; killed == 137; due++)); do
		moment="line $due"
		echo "$due" >"$BATS_TEST_TMPDIR/due"
		subject_nodes
		libxl attach PATH="$BATS_TEST_TMPDIR/bin:$PATH"
		killed=$ended
		[[ $killed != 137 ]] || applied=$((applied + 1))
		assert_detaches
	done
	assert_works_again
	say_tried "$applied" 'lines of ip' 5
}

@test "a vif's attach succeeds or rolls back after a kill of the helper at any moment" {
	subject_make vif
	kill_helper_everywhere attach 20
}

@test "a second detach of a vif succeeds after a kill of the helper at any moment of the first" {
	subject_make vif
	kill_helper_everywhere detach 10
}

@test "a disk's attach succeeds or rolls back after a kill of the helper at any moment" {
	subject_make disk
	kill_helper_everywhere attach 20
}

@test "a second detach of a disk succeeds after a kill of the helper at any moment of the first" {
	subject_make disk
	kill_helper_everywhere detach 10
}
