# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # code for the inner shell, which expands it
# How a run fails: one sentence, the first.

load ../lib/library

@test "the first sentence wins, and its status" {
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

@test "a long value is cut" {
	run library 'printf -v long "%04000d" 0; quote text "$long"; echo "${#text}"'
	[[ "$output" -le 210 ]]
}

@test "a command that fails where nobody looks ends the run with its place and status" {
	run library 'lifecycle_traps; trap '\''echo "failed: $failure"'\'' EXIT; hidden() { (exit 7); }; hidden; echo no'
	[[ $output == "failed: "*"gave status 7; this is a defect of the script, please report it." ]]
}

@test "an unset variable ends the run" {
	run library 'echo "$no_such_variable"; echo no'
	[[ "$status" -ne 0 ]]
	[[ $output != *no ]]
}

@test "a resource that does not exist is named, also where its name is a path or code" {
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

@test "towards libxl's limit a request gets what is left of the time, and never none" {
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

@test "an answer that was not read is not taken for the next one" {
	printf '%s\0' 0 1 first 0 1 second >"$BATS_TEST_TMPDIR/answers"
	run library 'exec {run_out}<"$1" {run_in}>/dev/null; run_owed=1; helper load backend; echo "$reply"' "$BATS_TEST_TMPDIR/answers"
	[[ "$status" -eq 0 && "$output" == second ]]
}
