# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The only two ways to start a program: the helper, and any other under it.

# helper <subcommand> [argument...]
# Runs the C helper. It inherits the lock's descriptor and keeps it until it
# ends, which it does by a deadline of its own.
# Result: reply, its NUL-ended fields. On failure its exit status (helper
# --help has the list), with its sentence in reason.
helper() {
	local status=0
	mapfile -d '' -t reply < <(exec "$hotplug_helper" "$@" 2>&1)
	wait "$!" || status=$?
	((status == 0)) || run_failed "$status" "${reply[0]:-}"
	return "$status"
}

# run <command> [argument...]
# Runs a command that changes or asks the system: supervised by the helper,
# with a deadline, with no descriptor but 0 to 2, and ended when this script
# is. Its standard input is the caller's: `run ip -batch - <<<"$lines"`.
# Result: output, what it printed. On failure its status (124: the deadline),
# with a sentence in reason.
run() {
	local status=0 line
	printf -v line '%q ' "$@"
	failure_trace+=("+ $line")
	output=$(exec "$hotplug_helper" run --deadline 8 -- "$@" 2>&1) || status=$?
	((status == 0)) || run_failed "$status" "$output"
	return "$status"
}

# run_failed <status> <text>
# Sets reason to the last line of the text: the sentence that the helper ends with.
run_failed() {
	reason=${2%$'\n'}
	reason=${reason##*$'\n'}
	reason=${reason:-The helper $hotplug_helper ended with status $1.}
	failure_trace+=("status $1: $reason")
}
