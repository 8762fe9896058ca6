# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # what a stand-in does is code for its shell
# One request of the store, or one program, goes wrong: the attach succeeds as
# a whole or fails as a whole, with a sentence; a detach that fails leaves what
# the next one needs.

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

# store_fault_nth <number> <what happens>
# The nth request from now on goes wrong, and only that.
store_fault_nth() {
	: >"$STORE_LOG"
	store_fault "any@$1=$2"
}

# requests_of attach|detach
# Makes the call in peace, after one of its kind that makes what only the first
# makes. Sets requests to how many requests it sends to the store.
requests_of() {
	libxl attach
	assert_detaches
	requests_prepare "$1"
	: >"$STORE_LOG"
	libxl "$1"
	assert_ended 0
	requests=$(store_requests)
	assert_detaches
}

# requests_prepare attach|detach
# All that comes before that call.
requests_prepare() {
	subject_nodes
	[[ $1 == detach ]] || return 0
	libxl attach
	assert_ended 0
	libxl_goes
}

# fault_everywhere attach|detach <least number of requests> <what happens>...
# Each request of the call goes wrong, and none, as one more than there are does.
fault_everywhere() {
	local what nth requests tried=0
	requests_of "$1"
	for what in "${@:3}"; do
		for ((nth = 1; nth <= requests + 1; nth++)); do
			sampled || continue
			fault_nth "$1" "$nth" "$what"
			tried=$((tried + 1))
		done
	done
	assert_works_again
	assert_residue_free
	say_tried "$tried" requests "$2"
}

# fault_nth attach|detach <number> <what happens>
fault_nth() {
	moment="$1, request $2: $3"
	requests_prepare "$1"
	store_fault_nth "$2" "$3"
	libxl "$1" timeout "$in_time"
	store_fault_none
	[[ $1 == attach ]] || assert_done_or_told
	[[ $1 == detach ]] || assert_all_or_nothing
	assert_detaches
}

# assert_done_or_told
# After a detach: nothing is left, or a person is told what is.
assert_done_or_told() {
	if ((ended == 0)); then
		assert_nothing_held
	else
		assert_ended 1
		assert_sentence "$(tail -n 1 "$said")"
	fi
}

# ip_fault attach|detach <number> <shell code>
# The nth program called ip does what the code says.
ip_fault() {
	moment="$1, ip $2: $3"
	rm -f "$BATS_TEST_TMPDIR/bin/ip"
	hash -r
	subject_nodes
	[[ $1 == attach ]] || libxl attach
	[[ $1 == attach ]] || libxl_goes
	: >"$BATS_TEST_TMPDIR/starts"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		real=$(type -P ip)
		echo x >>$BATS_TEST_TMPDIR/starts
		[[ \$(wc -l <$BATS_TEST_TMPDIR/starts) != $2 ]] || { $3; }
		exec "\$real" "\$@"
	END
	libxl "$1" timeout "$in_time"
	rm "$BATS_TEST_TMPDIR/bin/ip"
}

# detach_now
# What an earlier part of the test has attached, goes.
detach_now() {
	libxl_goes
	libxl detach
}

# missing_helper attach|detach
# Makes the call without a helper.
missing_helper() {
	moment="$1 without a helper"
	mv "$tree/helpers/xen-hotplug" "$tree/helpers/xen-hotplug.away"
	libxl "$1"
	mv "$tree/helpers/xen-hotplug.away" "$tree/helpers/xen-hotplug"
	assert_ended 1
	assert_sentence "$(tail -n 1 "$said")"
}

@test "a vif's attach succeeds or rolls back when any store request is refused" {
	subject_make vif
	fault_everywhere attach 36 EIO ENOSPC EACCES
}

@test "a vif's attach succeeds or rolls back when any store request is dropped, garbled or to be repeated" {
	subject_make vif
	fault_everywhere attach 36 EAGAIN drop garbage
}

@test "a disk's attach succeeds or rolls back when any store request is refused" {
	subject_make disk
	fault_everywhere attach 41 EIO ENOSPC EACCES
}

@test "a disk's attach succeeds or rolls back when any store request is dropped, garbled or to be repeated" {
	subject_make disk
	fault_everywhere attach 41 EAGAIN drop garbage
}

@test "a disk's attach succeeds or rolls back when any store reply is lost or truncated" {
	subject_make disk
	fault_everywhere attach 24 drop-after short
}

@test "a second detach of a vif succeeds after any store request of the first went wrong" {
	subject_make vif
	fault_everywhere detach 34 EIO EACCES garbage
}

@test "a second detach of a disk succeeds after any store request of the first went wrong" {
	subject_make disk
	fault_everywhere detach 36 ENOSPC EAGAIN drop
}

@test "without the helper, an error is printed" {
	local kind
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	for kind in vif disk; do
		subject_make "$kind"
		missing_helper attach
		assert_detaches
		subject_nodes
		libxl attach
		libxl_goes
		missing_helper detach
		assert_detaches
		assert_works_again
	done
}

@test "if ip fails at any start, before or after its work, the next detach leaves nothing" {
	local what nth tried=0
	subject_make vif
	mkdir "$BATS_TEST_TMPDIR/bin"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH
	for what in 'exit 1' '"$real" "$@"; exit 1' '"$real" "$@"; kill -KILL $$'; do
		for ((nth = 1; nth <= 2; nth++)); do
			sampled || continue
			ip_fault attach "$nth" "$what"
			assert_all_or_nothing
			assert_detaches
			ip_fault detach "$nth" "$what"
			assert_done_or_told
			assert_detaches
			tried=$((tried + 1))
		done
	done
	say_tried "$tried" programs 6
}

@test "without ip, the attach says what to install" {
	local ip ips hide=()
	subject_make vif
	mapfile -t ips < <(type -aP ip)
	for ip in "${ips[@]}"; do hide+=(-P "$ip"); done
	hide=(strace -f -qq -o /dev/null "${hide[@]}" -e "trace=execve,%%stat,?access,?faccessat,?faccessat2"
		-e "inject=execve,%%stat,?access,?faccessat,?faccessat2:error=ENOENT")
	libxl attach "${hide[@]}"
	assert_all_or_nothing
	assert_refused "$subject_path" error "needs the command 'ip'"
	subject_nodes
	libxl attach
	assert_ended 0
	libxl_goes
	libxl detach "${hide[@]}"
	assert_ended 1
	grep "'ip' is not installed" "$said"
	assert_detaches
	assert_works_again
}

@test "a full file system below the journal is reported" {
	local kind inodes
	for kind in vif disk; do
		subject_make "$kind"
		for inodes in 1 2 3; do
			moment="$inodes files fit into /run"
			subject_nodes
			host mount -t tmpfs -o "nr_inodes=$inodes" none /run
			libxl attach timeout "$in_time"
			assert_ended 1
			assert_all_or_nothing
			host umount /run
			assert_detaches
		done
		subject_nodes
		host mount -t tmpfs -o size=4k none /run
		host dd if=/dev/zero of=/run/full bs=4k count=1 status=none
		libxl attach timeout "$in_time"
		assert_ended 1
		assert_all_or_nothing
		assert_detaches
		host umount /run
		assert_works_again
	done
}

@test "a read-only /run is reported" {
	local kind
	for kind in vif disk; do
		subject_make "$kind"
		host mount -t tmpfs none /run
		libxl attach
		assert_ended 0
		# The helper of the script before may have the lock file open for a moment more.
		until_true host mount -o remount,ro /run 2>/dev/null
		libxl_goes
		libxl detach timeout "$in_time"
		assert_ended 1
		assert_sentence "$(tail -n 1 "$said")"
		subject_nodes
		libxl attach timeout "$in_time"
		assert_ended 1
		assert_sentence "$(store_get "$subject_path/hotplug-error")"
		host mount -o remount,rw /run
		assert_detaches
		assert_works_again
		host umount /run
	done
}

@test "an unset variable in a script rolls the attach back with a message" {
	local HOTPLUG_SH=$scripts/hotplug.sh
	with_settings HOTPLUG_SH <<-'END' | program "$BATS_TEST_TMPDIR/block-typo"
		#!/bin/bash
		. "$HOTPLUG_SH"
		device block 'A disk with a typing error.'
		target disk 'An image.'
		resources() {
			use disk "$target" "$mode"
			use typo
		}
		typo_acquire() {
			echo "$no_such_variable"
		}
		typo_release() { :; }
		hotplug "$@"
	END
	image disk.img
	vbd 1 51712 "$image"
	run host env XENBUS_PATH=backend/vbd/1/51712 "$BATS_TEST_TMPDIR/block-typo" add
	[[ "$status" -eq 1 ]]
	[[ "$output" == *'no_such_variable: unbound variable'* ]]
	assert_refused backend/vbd/1/51712 error "line 11: the variable no_such_variable is not set"
	assert_residue_free
}
