# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The only way to start a program: the helper does, which is this bash's parent
# (xen-hotplug call). It keeps the time, and ends all that it has started.

run_socket=3              # the helper's, see helpers/cmd-call.c
run_last=$hotplug_seconds # how many SECONDS this bash has; the helper sets it
run_reply=()              # the fields of the last answer
run_output=''             # what the last command printed
reason=''                 # the sentence of what failed last

# helper <subcommand> [argument...]
# Asks the helper. Each subcommand has a deadline of its own, and all of them
# that of the call.
# Result: run_reply, its fields. On failure its exit status (xen-hotplug help --all
# has the list), with its sentence in reason.
helper() {
	local run_status run_count
	run_reply=()
	run_tell "$@"
	read -r -d '' -u "$run_socket" run_status
	read -r -d '' -u "$run_socket" run_count
	((run_count == 0)) || mapfile -d '' -n "$run_count" -t -u "$run_socket" run_reply
	((run_status)) || return 0
	reason=${run_reply[0]-}
	reason=${reason%$'\n'}
	[[ $reason == *. ]] || reason="xen-hotplug $1 ended without a word, with status $run_status; see the kernel's log for what killed it."
	return "$run_status"
}

# run <command> [argument...]
# Runs a command that changes or asks the system: for at most 10 s, with no
# descriptor but 0 to 2, and no longer than this script.
# Result: run_output, what it printed. On failure its status (124: the deadline),
# with a sentence in reason.
run() {
	run_with '' "$@"
}

# run_with <text> <command> [argument...]
# The same, with the text as the command's standard input.
run_with() {
	local run_status=0
	helper run --input "$1" -- "${@:2}" || run_status=$?
	run_output=${run_reply[0]-}
	return "$run_status"
}

# run_pause <seconds>
# Waits without starting a program. Fails, with reason as it was, when this bash's time
# is over.
run_pause() {
	((SECONDS < run_last)) || return
	# The helper says nothing unasked.
	read -r -t "$1" -u "$run_socket" _ || :
}

# run_tell <word>...
# Sends the helper words that have no answer: phase, device and failed
# (helpers/cmd-call.c).
run_tell() {
	local IFS='' run_words
	run_words="$*"
	printf '%s\0' "$((${#run_words} + $#))" "$@" >&"$run_socket"
}
