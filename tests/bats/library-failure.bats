# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # code for the inner shell, which expands it
# How a run fails: one sentence, the first.

load ../lib/library

@test "the first failure determines the sentence and the status" {
	run library 'run_tell() { echo "told: $2 $3"; }; complain "First." busy; complain "Second."; fail "Third."; echo no'
	[[ "$status" -eq 1 ]]
	[[ "$output" == $'told: busy First.\ntold: error Second.\ntold: error Third.\nfailed: First.' ]]
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
	run library 'trap '\''echo "failed: $failure"'\'' EXIT; hidden() { (exit 7); }; hidden; echo no'
	[[ $output == "failed: "*"gave status 7; this is a defect of the script: correct it there, or report it." ]]
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
		[[ $output == 'failed: '*', line '*': there is no resource '*. ]]
	done
}

@test "the disk below a snapshot that cannot be removed is not released, even if no disk was released before" {
	run library '
		library release
		journal_add disk /base r
		journal_add overlay /dev/a 1 /dev/b n
		helper() { echo "asked: $*"; }
		run() { return 1; }
		store_value[node]=/dev/loop0
		resource_find overlay
		overlay_find() { overlay_found[a]=dm-0; }
		release_resources
	'
	[[ "$status" -eq 0 && "$output" == 'failed: Cannot release overlay, which gave no reason; look at the system log, then detach the device again.' ]]
}
