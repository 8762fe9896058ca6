# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # code for the inner shell, which expands it
# How a run fails: one sentence, the first.

load ../lib/library

@test "the first failure determines the sentence and the status" {
	run library 'complain "First." busy; complain "Second."; echo "$failure_status"; fail "Third."; echo no'
	[[ "$status" -eq 1 ]]
	[[ "${lines[0]}" == busy ]]
	[[ "${lines[1]}" == 'failed: First.' ]]
	[[ "${#lines[@]}" -eq 2 ]]
}

# quotes <value> <what a sentence shows>
quotes() {
	[[ "$(library 'quote text "$1"; printf "%s" "$text"' "$1")" == "$2" ]]
}

@test "a value is quoted on one line that a terminal can show" {
	table quotes <<-'END'
		'' "''"
		a "'a'"
		'a b' "'a b'"
		$'a\nb' "\$'a\\nb'"
		$'a\tb' "\$'a\\tb'"
		$'\e[31m' "\$'\\E[31m'"
		$'\xff\xfe' "\$'\\377\\376'"
		'$(id)' "'\$(id)'"
		'%s' "'%s'"
		-n "'-n'"
	END
}

@test "a long value is truncated" {
	run library 'printf -v long "%04000d" 0; quote text "$long"; echo "${#text}"'
	[[ "$output" -le 210 ]]
}

@test "an unchecked failure of a command ends the run with its place and status" {
	run library 'lifecycle_traps; trap '\''echo "failed: $failure"'\'' EXIT; hidden() { (exit 7); }; hidden; echo no'
	[[ $output == "failed: "*"gave status 7; this is a defect of the script, please report it." ]]
}

@test "an unset variable ends the run" {
	run library 'echo "$no_such_variable"; echo no'
	[[ "$status" -ne 0 ]]
	[[ $output != *no ]]
}

@test "an unknown resource is named, even if its name is a path or code" {
	local name
	for name in nothing ../x 'a b' '$(id)' 'a[0]' ''; do
		run library 'use "$1"; echo no' "$name"
		[[ "$status" -eq 1 ]]
		[[ $output == 'failed: There is no resource'*. ]]
	done
}

# asked <seconds since the start> <request> <what the helper is asked>
asked() {
	[[ "$(library 'run_send() { echo "$*"; }; run_receive() { :; }; SECONDS=$1; shift; helper "$@"' "$1" "${@:2:2}")" == "$4" ]]
}

@test "near libxl's limit a request gets the remaining time, but never none" {
	table asked <<-'END'
		0 load backend 'load backend'
		14 load backend 'load backend'
		15 load backend 'load --deadline 9 backend'
		23 load backend 'load --deadline 1 backend'
		39 load backend 'load --deadline 1 backend'
		39 forget journal 'forget journal'
	END
	# What an attach did may take longer to undo, also longer than a detach.
	[[ "$(library '((run_last < run_last_undo && run_last_undo < 40 - 3)) && echo so')" == so ]]
}

@test "a pending reply is not taken for the reply to the next request" {
	printf '%s\0' 0 1 first 0 1 second >"$BATS_TEST_TMPDIR/answers"
	run library 'exec {run_out}<"$1" {run_in}>/dev/null; run_owed=1; helper load backend; echo "$reply"' "$BATS_TEST_TMPDIR/answers"
	[[ "$status" -eq 0 && "$output" == second ]]
}

# session <shell code>
# Runs the code in a bash that has read the library, with the real helper, as a script does.
session() {
	cd "$BATS_TEST_TMPDIR" || return
	library "trap '' PIPE; hotplug_helper=$root/helpers/xen-hotplug run_lock_file=$BATS_TEST_TMPDIR/run/lock; $1"
}

@test "a query does not wait for a background command, but every other request does" {
	run session '
		run_aside "It failed" "" "" sh -c "until [ -e go ]; do sleep 0.01; done; echo x >done"
		run_beside "" test ! -e done && echo beside
		: >go
		run test -e done && echo after
	'
	[[ "$status" -eq 0 && "$output" == $'beside\nafter' ]]
}

@test "a failed background command fails the next step with its own sentence and reason" {
	run session 'run_aside "It failed" no "" sh -c "cat >&2; exit 1"; echo on; run true; echo no'
	[[ "$status" -eq 1 && "${lines[0]}" == on && "${lines[1]}" == "failed: It failed: 'sh -c cat >&2; exit 1' failed: no." && "${#lines[@]}" -eq 2 ]]
	run session 'run_aside "It failed" "exit 1" "echo second >file" sh; run cat file; printf "%s" "$output"'
	[[ "$status" -eq 0 && "$output" == second ]]
}

@test "a background command of a killed helper counts as failed" {
	run session 'run_aside "It failed" "" "" true; kill -KILL "$run_pid"; until run_beside "" true; do :; done; echo another; run true'
	# bash may say before that, that the helper was killed.
	[[ "$status" -eq 1 && "$output" == *another*$'\nfailed: It failed: The helper '*' ended without an answer;'* ]]
}
