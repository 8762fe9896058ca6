# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug session: the protocol, and what happens when one of the two ends.

bats_require_minimum_version 1.5.0

setup() {
	# shellcheck source=../lib/helper.bash
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	coproc session { exec "$helper" session --lock "$BATS_TEST_TMPDIR/run/lock" 3>&- 9>&-; }
	session_pid=$!
	exec {from}<&"${session[0]}" {to}>&"${session[1]}"
}

teardown() {
	[[ ! ${to-} ]] || exec {to}>&-
	helper_teardown
}

# send <argument>...
# Sends a request.
send() {
	local LC_ALL=C IFS='' words
	words="$*"
	printf '%s\0' "$((${#words} + $#))" "$@" >&"$to"
}

# ask <argument>...
# Sends a request; sets answered to its status, and fields.
ask() {
	local count
	send "$@"
	read -r -d '' -u "$from" answered
	read -r -d '' -u "$from" count
	fields=()
	((count == 0)) || mapfile -d '' -n "$count" -t -u "$from" fields
}

# grandchild_of <pid>
# The command that a request has started.
grandchild_of() {
	pgrep -P "$(pgrep -P "$1")"
}

@test "a session answers requests in sequence" {
	store_set "$home/a" 'one value' "$home/b" ''
	ask load "$home" a b c
	[[ $answered == 0 ]]
	[[ ${#fields[@]} == 3 && ${fields[0]} == '=one value' && ${fields[1]} == '=' && ${fields[2]} == - ]]
	ask load "$home" b
	[[ $answered == 0 && ${#fields[@]} == 1 ]]
}

@test "a request may have 200 arguments, also empty ones and ones with newlines" {
	local many=() i
	for ((i = 0; i < 200; i++)); do many+=("key$i"); done
	ask load "$home" "${many[@]}"
	[[ $answered == 0 && ${#fields[@]} == 200 ]]
	store_set "$home/frontend" x
	ask publish "$home" $'k=two\nlines' l=
	[[ $answered == 0 && ${#fields[@]} == 0 ]]
	[[ $(store_get "$home/k") == $'two\nlines' ]]
}

@test "a failed request returns its status and one sentence, and the session continues" {
	ask claim --device "vbd/1/$devid" --mode w -- "$BATS_TEST_TMPDIR/missing"
	[[ $answered == 1 && ${#fields[@]} == 1 && ${fields[0]} == *"does not exist"*$'.\n' ]]
	ask nonsense
	[[ $answered == 2 ]]
	ask load "$home" a
	[[ $answered == 0 ]]
}

@test "a command's output is a field, and a failed command returns only its error" {
	ask run --input $'some\ntext' -- cat
	[[ $answered == 0 && ${fields[0]} == $'some\ntext' ]]
	ask run -- sh -c 'printf half; echo why >&2; exit 7'
	[[ $answered == 7 && ${#fields[@]} == 1 && ${fields[0]} == *'failed: why.'* ]]
}

@test "a lock that a request takes is held until the session ends" {
	ask load --lock 3:thing "$home" a
	[[ $answered == 0 ]]
	exec 8<>"$BATS_TEST_TMPDIR/run/lock"
	run "$helper" load --lock 8:thing --wait 0.2 "$home" a
	[[ $status == 5 && $output == *"process $session_pid"* ]]
	kill "$session_pid"
	"$helper" load --lock 8:thing --wait "$generous" "$home" a
	exec 8>&-
}

@test "load reports a lock file that cannot be created, and fail works without it" {
	kill "$session_pid"
	touch "$BATS_TEST_TMPDIR/file"
	coproc session { exec "$helper" session --lock "$BATS_TEST_TMPDIR/file/lock" 3>&- 9>&-; }
	exec {from}<&"${session[0]}" {to}>&"${session[1]}"
	ask load "$home" a
	[[ $answered == 1 && ${fields[0]} == 'Cannot open the lock file'* ]]
	store_set "$home/frontend" x
	ask fail "$home" 'All is lost.'
	[[ $answered == 0 && $(store_get "$home/hotplug-error") == 'All is lost.' ]]
}

@test "a session ends with its script, even in the middle of a command" {
	local script child
	mkfifo fifo
	# shellcheck disable=SC2016 # the inner shell expands
	bash -c 'coproc s { exec "$1" session; }; printf "%s\0" 22 run -- sleep infinity >&"${s[1]}"
		echo "$s_PID" >fifo; exec sleep infinity' - "$helper" 3>&- 9>&- &
	script=$!
	read -r session_pid <fifo
	until_true grandchild_of "$session_pid"
	child=$(grandchild_of "$session_pid")
	kill -KILL "$script"
	until_true store_gone "$session_pid"
	until_true store_gone "$child"
}

@test "invalid bytes end the session" {
	printf 'nonsense\0x\0' >&"$to"
	run ! read -r -d '' -u "$from"
	until_true store_gone "$session_pid"
}

@test "other requests are served while a background command runs" {
	send aside run -- sh -c 'until [ -e go ]; do sleep 0.01; done; echo done >&2; exit 7'
	ask run echo beside
	[[ $answered == 0 && ${fields[0]} == $'beside\n' ]]
	send await
	run ! read -r -t 0.1 -d '' -u "$from"
	touch go
	read -r -d '' -u "$from" answered
	read -r -d '' -u "$from" _
	read -r -d '' -u "$from" field
	[[ $answered == 7 && $field == *'failed: done.'* ]]
	ask run echo next
	[[ $answered == 0 && ${fields[0]} == $'next\n' ]]
}

@test "requests sent together are served in order" {
	send aside run -- true
	send run echo 1
	send await
	ask run echo 2
	[[ $answered.${fields[*]} == $'0.1\n' ]]
	read -r -d '' -u "$from" answered
	read -r -d '' -u "$from" count
	[[ $answered.$count == 0.0 ]]
	read -r -d '' -u "$from" answered
	read -r -d '' -u "$from" count
	[[ $answered.$count == 0.1 ]]
}

@test "a wait without a background command fails, and a second background command ends the session" {
	ask await
	[[ $answered == 2 ]]
	send aside run -- sh -c 'echo $$ >child; exec sleep infinity'
	until_true test -s child
	child=$(<child)
	send aside run -- true
	until_true store_gone "$session_pid"
	until_true store_gone "$child"
}
