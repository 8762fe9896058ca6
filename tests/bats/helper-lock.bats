#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2094 # lock is also a subcommand, not only the file
# The locks of xen-hotplug lock and load: named, held by the script's descriptor, bounded.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	# A script that takes locks, says so, and ends when its standard input does.
	cat >script <<-'END'
		#!/bin/bash
		exec 9>>lock
		"$helper" lock --wait 60 "9:$1" || exit
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

# hold <name> [argument]
# Starts the script with this lock and waits until it has it.
hold() {
	local line
	coproc holder { exec setpriv --pdeathsig KILL ./script "$@" 3>&-; }
	read -r -t "$generous" line <&"${holder[0]}"
	[[ $line == locked ]]
}

# try <name>
# Tries for the lock with a descriptor of its own, for a moment.
try() {
	call lock --wait "${patience:-0.2}" "9:$1" 9>>lock
}

@test "a lock is held after the helper has ended, until the script's descriptor is closed" {
	exec 8>>lock
	call lock 8:name
	done_with
	try name
	ended 5 "'name' has been locked by process * for 0.2 s;*"
	exec 8>&-
	try name
	done_with
}

@test "unlock gives up that lock alone" {
	exec 8>>lock
	call lock 8:one
	call lock 8:two
	call unlock 8:one
	done_with
	try one
	done_with
	try two
	ended 5 "'two' has been locked by process *"
	exec 8>&-
}

@test "unlock of a lock that is not held succeeds" {
	hold name
	exec 8>>lock
	call unlock 8:name
	done_with
	exec 8>&-
	try name
	ended 5 "'name' has been locked by process $holder_PID *"
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
	done_with
}

@test "a killed script leaves no lock behind" {
	hold name
	kill -KILL "$holder_PID"
	patience=$generous try name
	done_with
}

@test "a waiter gets the lock when its holder ends" {
	hold name
	local pid=$holder_PID
	"$helper" lock --wait "$generous" 9:name >out 2>err 9>>lock &
	# It waits: the kernel lists it so.
	waiting() { grep -q -- "-> OFDLCK.*:$(stat -c %i lock) " /proc/locks; }
	until_true waiting
	kill -KILL "$pid"
	wait "$!"
}

@test "a script that locks one name twice has one lock" {
	exec 8>>lock
	call lock 8:name
	done_with
	call lock 8:name
	done_with
	call unlock 8:name
	try name
	done_with
	exec 8>&-
}

@test "a descriptor that cannot hold a lock is a failure" {
	call lock 77:name
	ended 1 "Descriptor 77 cannot hold the lock 'name' (Bad file descriptor);*"
	call lock 8:name 8<lock
	ended 1 "Descriptor 8 cannot hold the lock 'name' (Bad file descriptor);*"
}

@test "a hostile command line of the holder is shown escaped" {
	hold $'name' $'\x1b[2J\nnewline'
	try name
	ended 5 "*(/bin/bash ./script name \\x1b\[2J\\nnewline)*"
}
