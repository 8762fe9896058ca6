# SPDX-License-Identifier: LGPL-2.1-only
# SIGKILL, SIGSTOP or SIGTERM at any moment, to any of the processes of a call: the
# parent (which libxl knows), the script, a worker, a command. The detach that
# follows leaves nothing, and soon.

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

# least vif|tap|disk <role>
# Sets leasts to four fifths of the moments that the role has in an attach and in a detach.
least() {
	case $1.$2 in
	vif.parent) leasts=(22 26) ;;
	vif.script) leasts=(54 26) ;;
	vif.worker) leasts=(23 21) ;;
	vif.command) leasts=(28 22) ;;
	tap.parent) leasts=(22 22) ;;
	disk.parent) leasts=(19 23) ;;
	disk.script) leasts=(27 12) ;;
	disk.worker) leasts=(33 24) ;;
	esac
}

# everywhere vif|tap|disk <role> <signal>
# The signal comes at each moment of the role, in an attach and in a detach. Where
# moments are sampled, four times as many runs as elsewhere try all of these, since
# they are thousands; what libxl does, to kill the parent, is sampled as ever.
everywhere() {
	((${TEST_SAMPLE:-1} == 1)) || [[ $2.$3 == parent.KILL ]] || TEST_SAMPLE=$((4 * TEST_SAMPLE))
	least "$1" "$2"
	subject_make "$1"
	signalled_everywhere attach "$2" "$3" "${leasts[0]}"
	signalled_everywhere detach "$2" "$3" "${leasts[1]}"
}

@test "a vif is detached without residue if the parent is killed at any moment" {
	everywhere vif parent KILL
}

@test "a vif is detached without residue if the parent is stopped at any moment" {
	everywhere vif parent STOP
}

@test "a vif is detached without residue if the parent is terminated at any moment" {
	everywhere vif parent TERM
}

@test "a vif is detached without residue if the script is killed at any moment" {
	everywhere vif script KILL
}

@test "a vif is detached without residue if the script is stopped at any moment" {
	everywhere vif script STOP
}

@test "a vif is detached without residue if the script is terminated at any moment" {
	everywhere vif script TERM
}

@test "a vif is detached without residue if the worker is killed at any moment" {
	everywhere vif worker KILL
}

@test "a vif is detached without residue if the worker is stopped at any moment" {
	everywhere vif worker STOP
}

@test "a vif is detached without residue if the worker is terminated at any moment" {
	everywhere vif worker TERM
}

@test "a vif is detached without residue if the command is killed at any moment" {
	everywhere vif command KILL
}

@test "a vif is detached without residue if the command is stopped at any moment" {
	everywhere vif command STOP
}

@test "a vif is detached without residue if the command is terminated at any moment" {
	everywhere vif command TERM
}

@test "a tap is detached without residue if the parent is killed at any moment" {
	everywhere tap parent KILL
}

@test "a disk is detached without residue if the parent is killed at any moment" {
	everywhere disk parent KILL
}

@test "a disk is detached without residue if the parent is stopped at any moment" {
	everywhere disk parent STOP
}

@test "a disk is detached without residue if the parent is terminated at any moment" {
	everywhere disk parent TERM
}

@test "a disk is detached without residue if the script is killed at any moment" {
	everywhere disk script KILL
}

@test "a disk is detached without residue if the script is stopped at any moment" {
	everywhere disk script STOP
}

@test "a disk is detached without residue if the script is terminated at any moment" {
	everywhere disk script TERM
}

@test "a disk is detached without residue if the worker is killed at any moment" {
	everywhere disk worker KILL
}

@test "a disk is detached without residue if the worker is stopped at any moment" {
	everywhere disk worker STOP
}

@test "a disk is detached without residue if the worker is terminated at any moment" {
	everywhere disk worker TERM
}

@test "after a kill in the middle of ip's batch, the detach reverts the lines that ip had run" {
	local applied=0 due killed
	subject_make vif
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		# Above this one are the worker, and the helper that libxl knows as the script.
		read -r _ _ _ worker _ </proc/\$\$/stat
		read -r _ _ _ script _ </proc/\$worker/stat
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
		libxl attach env PATH="$BATS_TEST_TMPDIR/bin:$PATH"
		killed=$ended
		[[ $killed != 137 ]] || applied=$((applied + 1))
		assert_detaches
	done
	assert_works_again
	say_tried "$applied" 'lines of ip' 5
}
