# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# How a run fails: the first sentence wins, and leads to the exit trap, which
# undoes and reports (lifecycle.sh).

failure=''           # the first sentence, empty as long as all is well
failure_status=error # what hotplug-status will say: error or busy
failure_trace=()     # what was done, for the log

# fail <sentence> [error|busy]
# Ends the run. The sentence is for a person: what failed, on which value,
# what to do next. Not to be called in a subshell: it could end only that.
fail() {
	complain "$@"
	exit 1
}

# complain <sentence> [error|busy]
# Notes a failure and goes on: for a release, which does all it can.
complain() {
	if [[ $failure ]]; then
		failure_trace+=("$1")
	else
		failure=$1
		failure_status=${2:-error}
	fi
}

# failure_unexpected <status> <command> <place>
# The ERR trap's: a command failed where nobody looked at its status.
failure_unexpected() {
	local command
	quote command "$2"
	fail "$hotplug_name stopped at $3, where $command gave status $1; this is a defect of the script, please report it."
}

# quote <out-var> <value>
# The value as a sentence shows it: in quotes, on one line, with a limit.
quote() {
	local quote_text=$2
	((${#quote_text} <= 200)) || quote_text=${quote_text:0:200}...
	if [[ $quote_text == *[![:print:]]* ]]; then
		printf -v "$1" '%q' "$quote_text"
	else
		printf -v "$1" "'%s'" "$quote_text"
	fi
}
