# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The only way to start a program: through the helper, which is started once.

run_lock_file=/run/xen-hotplug/lock # all locks are bytes of it
run_lock=3                          # the helper's descriptor of it (xen-hotplug session --help)
run_in=''                           # the descriptors of the helper's session, once there is one
run_out=''
run_pid=''         # its process id
run_meanwhile=()   # functions to call when the helper is at work next: to read files takes bash as long
run_owed=''        # set while the helper has not answered yet
run_interrupted='' # what to fail with when it has, as a signal came
run_awaited=''     # what to say should the command fail that run_aside has started
run_last=24        # the second by which an attach is done; libxl kills at 40
run_last_undo=34   # and by which what it did is undone, or a detach is done

# helper <subcommand> [argument...]
# Asks the C helper. It ends what it was asked by a deadline of its own, and
# what it locks stays locked until this script and its last request are done.
# Result: reply, its fields. On failure its exit status (xen-hotplug --help has
# the list), with its sentence in reason.
helper() {
	local status=0 hurry=()
	run_await || fail "$reason"
	reply=()
	run_hurry "$1"
	if ! run_send "$1" "${hurry[@]}" "${@:2}" || ! run_receive; then
		run_broken
	fi
	((status == 0)) || run_failed "$status"
	return "$status"
}

# run <command> [argument...]
# Runs a command that changes or asks the system: supervised by the helper,
# with a deadline, with no descriptor but 0 to 2, and ended when this script is.
# Result: output, what it printed. On failure its status (124: the deadline),
# with a sentence in reason.
run() {
	run_with '' "$@"
}

# run_with <text> <command> [argument...]
# The same, with the text as the command's standard input.
run_with() {
	local status=0
	run_trace "$@"
	helper run --input "$1" -- "${@:2}" || status=$?
	output=${reply[0]-}
	return "$status"
}

# run_aside <sentence> <text> <command> [argument...]
# The same, while the script goes on: what is asked of the helper next waits for
# its end, and fails the attach with the sentence and a reason where it failed.
run_aside() {
	local hurry=()
	run_await || fail "$reason"
	run_trace "${@:2}"
	run_hurry run
	run_awaited=$1
	run_send run "${hurry[@]}" --input "$2" -- "${@:3}" || run_stop
}

# run_await
# Waits for the end of what run_aside has started, and fails with reason set
# where it failed; or for the answer that an end of the script has kept from
# being read.
run_await() {
	local status=0 reply=() sentence=$run_awaited
	[[ $run_owed || $sentence ]] || return 0
	run_awaited=''
	if [[ ! $run_owed ]] || ! run_receive; then
		run_broken
	fi
	((status)) && [[ $sentence ]] || return 0
	run_failed "$status"
	reason="$sentence: $reason"
	return 1
}

# run_trace <text> <command> [argument...]
run_trace() {
	local line
	printf -v line '%q ' "${@:2}"
	failure_trace+=("+ $line${1:+<<< ${1@Q}}")
}

# run_start
# Fails where the helper ends at once.
run_start() {
	coproc run_session { exec "$hotplug_helper" session --lock "$run_lock_file"; }
	# bash takes the variables away when it has ended.
	run_pid=${run_session_PID-}
	local from=${run_session[0]-} to=${run_session[1]-}
	[[ $from && $to ]] || return
	exec {run_out}<&"$from" {run_in}>&"$to"
}

# run_stop
# After a session that broke: the next request begins another.
run_stop() {
	[[ ! $run_in ]] || exec {run_in}>&- {run_out}<&-
	run_in='' run_owed=''
	# bash is to say nothing of how it ended, which the answer that lacks says better.
	disown "$run_pid" 2>/dev/null || :
}

# run_broken
# After a request that had no answer. Sets the caller's status.
run_broken() {
	run_stop
	run_use_time
	[[ ! $run_interrupted ]] || fail "$run_interrupted"
	status=126
}

# run_send <subcommand> [argument...]
run_send() {
	# What bash says of an earlier session is for nobody.
	[[ $run_in ]] || run_start 2>/dev/null || return
	run_owed=1
	printf '%s\0' "$#" "$@" 2>/dev/null 1>&"$run_in" || return
	run_use_time
}

# run_use_time
# Calls what waits for that, once. It must neither fail nor ask the helper, whose
# answer is still to come.
run_use_time() {
	local name names=("${run_meanwhile[@]}")
	run_meanwhile=()
	for name in "${names[@]}"; do
		"$name"
	done
}

# run_receive
# Reads the answer, into the caller's status and reply.
run_receive() {
	local count
	read -r -d '' -u "$run_out" status && read -r -d '' -u "$run_out" count || return
	((count == 0)) || mapfile -d '' -n "$count" -t -u "$run_out" reply
	run_owed=''
	[[ ! $run_interrupted ]] || fail "$run_interrupted"
}

# run_interrupt <sentence>
# A signal's trap: fails with the sentence, but not before the helper has
# answered, or what it is asked next would have the answer to this. The signal
# comes in the midst of reading that.
run_interrupt() {
	[[ $run_owed ]] || fail "$1"
	run_interrupted=$1
}

# run_hurry <subcommand>
# Each request has a deadline of some 10 s; towards the end, what is left.
# Sets the caller's hurry to the option that says so.
run_hurry() {
	local left=$((run_last - SECONDS))
	((left < 10)) && [[ $1 != forget ]] || return 0
	hurry=(--deadline $((left > 0 ? left : 1)))
}

# run_failed <status>
# Sets reason to the sentence in the answer, or to one for a helper that gave none.
run_failed() {
	reason=${reply[0]-}
	reason=${reason%$'\n'}
	[[ $reason == *. ]] ||
		reason="The helper $hotplug_helper ended without an answer; see whether it is installed, and the log of the kernel."
	failure_trace+=("status $1: $reason")
}
