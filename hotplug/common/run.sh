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
run_side=''        # what to say should the command fail that runs aside
run_side_lost=''   # set where its helper has ended
run_last=24        # the second by which an attach is done; libxl kills at 40
run_last_undo=34   # and by which what it did is undone, or a detach is done

# helper <subcommand> [argument...]
# Asks the C helper. It ends what it was asked by a deadline of its own, and
# what it locks stays locked until this script and its last request are done.
# What runs aside has ended before.
# Result: reply, its fields. On failure its exit status (xen-hotplug --help has
# the list), with its sentence in reason.
helper() {
	run_await || fail "$reason"
	run_request "$@"
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
	run_await || fail "$reason"
	run_beside "$@"
}

# run_beside <text> <command> [argument...]
# The same, without waiting for what runs aside: for a command that only asks,
# and of what that does not change.
run_beside() {
	local status=0
	run_trace "$@"
	run_request run --input "$1" -- "${@:2}" || status=$?
	output=${reply[0]-}
	return "$status"
}

# run_aside <sentence> <text> <second text, or empty> <command> [argument...]
# Runs a command with the text as its standard input and, where it fails with
# that, once more with the second, while the script goes on. Whatever is run or
# asked of the helper next, but beside it, waits for its end, and fails the
# attach with the sentence and a reason where it failed.
run_aside() {
	local words=(aside run --input "$2")
	[[ ! $3 ]] || words+=(--second "$3")
	words+=(-- "${@:4}")
	run_await || fail "$reason"
	run_trace "$2" "${@:4}"
	run_hurry
	run_side=$1 run_side_lost=''
	run_send "${words[@]}" || run_stop
}

# run_await
# Waits for the end of what runs aside, and fails with reason set where it
# failed; and for the answer that an end of the script has kept from being read.
run_await() {
	local status reply sentence=$run_side
	[[ ! $run_owed ]] || run_receive || run_stop
	[[ $run_side ]] || return 0
	status=0
	if [[ $run_side_lost ]]; then
		run_failed 126
		status=126
	else
		run_request await || status=$?
	fi
	# Not before: an end of the script in the midst of this has to wait, too.
	run_side=''
	((status)) || return 0
	reason="$sentence: $reason"
	return 1
}

# run_request <subcommand> [argument...]
# What helper does, but for the waiting.
run_request() {
	local status=0 words=("$@") sent=1
	reply=()
	run_hurry
	run_owed=1
	run_send "${words[@]}" || sent=''
	run_use_time
	if [[ ! $sent ]] || ! run_receive; then
		run_broken
	fi
	((status == 0)) || run_failed "$status"
	return "$status"
}

# run_trace <text> <command> [argument...]
run_trace() {
	local line
	printf -v line '%q ' "${@:2}"
	failure_trace+=("+ $line${1:+<<< $1}")
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
	[[ ! $run_side ]] || run_side_lost=1
	# bash is to say nothing of how it ended, which the answer that lacks says better.
	disown "$run_pid" 2>/dev/null || :
}

# run_broken
# After a request that had no answer. Sets the caller's status.
run_broken() {
	run_stop
	[[ ! $run_interrupted ]] || fail "$run_interrupted"
	status=126
}

# run_send <word>...
run_send() {
	local IFS='' words
	words="$*"
	# What bash says of an earlier session is for nobody.
	[[ $run_in ]] || run_start 2>/dev/null || return
	printf '%s\0' "$((${#words} + $#))" "$@" 2>/dev/null 1>&"$run_in"
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

# run_answered
# Has the helper begun to answer?
run_answered() {
	[[ ! $run_out ]] || read -r -t 0 -u "$run_out"
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

# run_hurry
# Each request has a deadline of some 10 s; towards the end, what is left. Adds
# the option that says so to the caller's words, behind the subcommand.
run_hurry() {
	local left=$((run_last - SECONDS)) at=1
	((left < 10)) && [[ ${words[0]} != @(forget|await) ]] || return 0
	[[ ${words[0]} != aside ]] || at=2
	words=("${words[@]:0:at}" --deadline $((left > 0 ? left : 1)) "${words[@]:at}")
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
