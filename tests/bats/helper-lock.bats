#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# The locks of xen-hotplug load: named, held by the script's descriptor, bounded.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	# A script that takes locks, says so, and ends when its standard input does.
	cat >script <<-'END'
		#!/bin/bash
		exec 9>>lock
		locks=()
		for name; do locks+=(--lock "9:$name"); done
		"$helper" load "${locks[@]}" --wait 60 b key >/dev/null || exit
		echo locked
		read -r _
	END
	chmod +x script
	export helper
	exec 9>&-
}

teardown() {
	helper_teardown
}

# hold <name>...
# Starts the script with these locks and waits until it has them.
hold() {
	local line
	coproc holder { exec setpriv --pdeathsig KILL ./script "$@" 3>&-; }
	read -r -t "$generous" line <&"${holder[0]}"
	[[ $line == locked ]]
}

# try <name>...
# Tries for the locks with a descriptor of its own, for a moment.
try() {
	local name locks=()
	for name; do
		locks+=(--lock "9:$name")
	done
	call load "${locks[@]}" --wait "${patience:-0.2}" b key 9>>lock
}

@test "a lock is held after the helper has ended, until the script's descriptor is closed" {
	exec 8>>lock
	call load --lock 8:name b key
	done_with -
	try name
	ended 5 "'name' has been locked by process * for 0.2 s;*"
	exec 8>&-
	try name
	done_with -
}

@test "the sentence names the process that holds the lock, with its command line" {
	hold vbd/3/51712
	local pid=$holder_PID
	try vbd/3/51712
	ended 5 "'vbd/3/51712' has been locked by process $pid (/bin/bash ./script vbd/3/51712) for 0.2 s;*"
}

@test "locks with different names do not block each other" {
	hold one
	try two
	done_with -
}

@test "a killed script leaves no lock behind" {
	hold name
	kill -KILL "$holder_PID"
	patience=$generous try name
	done_with -
}

@test "a waiter gets the lock when its holder ends" {
	hold name
	local pid=$holder_PID
	"$helper" load --lock 9:name --wait "$generous" b key >out 2>err 9>>lock &
	# It waits: the kernel lists it so.
	waiting() { grep -q -- "-> OFDLCK.*:$(stat -c %i lock) " /proc/locks; }
	until_true waiting
	kill -KILL "$pid"
	wait "$!"
}

@test "two scripts that take the same locks in opposite order do not deadlock" {
	local i pids=()
	for ((i = 0; i < 20; i++)); do
		./script a b <&- >/dev/null &
		pids+=("$!")
		./script b a <&- >/dev/null &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do
		status=0
		wait "$i" || status=$?
		((status == 1)) # of read at its end of input
	done
}

@test "a script that locks one name twice has one lock" {
	exec 8>>lock
	call load --lock 8:name --lock 8:name b key
	done_with -
	call load --lock 8:name b key
	done_with -
	exec 8>&-
}

@test "a descriptor that cannot hold a lock is a failure" {
	call load --lock 77:name b key
	ended 1 "Descriptor 77 cannot hold the lock 'name' (Bad file descriptor);*"
	call load --lock 8:name b key 8<lock
	ended 1 "Descriptor 8 cannot hold the lock 'name' (Bad file descriptor);*"
}

@test "a hostile command line of the holder is shown escaped" {
	hold $'name' $'\x1b[2J\nnewline'
	try name
	ended 5 "*(/bin/bash ./script name \\x1b\[2J\\nnewline)*"
}
