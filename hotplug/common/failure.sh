# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# How a run fails: the first sentence wins. The helper reports it and, after an
# attach has begun, has a second bash undo what was done (undo.sh).

failure=''        # the first sentence, empty as long as all is well
failure_hidden='' # set by failure_hide

# fail <sentence> [error|busy]
# Ends the run. The sentence is for a person: what failed, on which value,
# what to do next. hotplug-status will be the second argument.
fail() {
	complain "$@"
	[[ ! $failure_hidden ]] || exit 0
	# A subshell of the script's would end alone.
	((BASH_SUBSHELL == 0)) || kill -KILL "$$"
	exit 1
}

# complain <sentence> [error|busy]
# Notes a failure and goes on: for a release, which does all it can.
complain() {
	[[ ! $failure_hidden ]] || return 0
	failure=${failure:-$1}
	run_tell failed "${2:-error}" "$1"
}

# warn <sentence>
# Tells the log and standard error, but not the store.
warn() {
	printf '%s\n' "$1" >&2
	helper fail '' "$1" || :
}

# failure_hide <y, or empty>
# From now on a failure only means, or no longer, that there is nothing more to find.
failure_hide() {
	failure_hidden=$1
}

# failure_unexpected <status> <command> <place>
# The ERR trap's: a command failed, and nothing checked its status.
failure_unexpected() {
	local command
	quote command "$2"
	fail "$hotplug_name stopped at $3, where $command gave status $1; this is a defect of the script: correct it there, or report it."
}

# failure_end
# Ends the run where something has complained.
failure_end() {
	[[ ! $failure ]] || exit 1
}

# failure_author <what is wrong> [line]
# Ends the run with a sentence for whoever writes the script: where it is wrong.
failure_author() {
	local frame line=${2-}
	failure_hide ''
	for ((frame = 1; frame < ${#BASH_SOURCE[@]}; frame++)); do
		[[ ! $line && ${BASH_SOURCE[frame]} == "$0" ]] && line=${BASH_LINENO[frame - 1]}
	done
	fail "$0, line ${line:-unknown}: $1"
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

hotplug_name=${0##*/}
trap 'failure_unexpected "$?" "$BASH_COMMAND" "${BASH_SOURCE[0]##*/}:$LINENO"' ERR
