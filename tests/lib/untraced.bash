# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Without bats' trace of each command in each function, which took more than half
# of the processors' time; and the place of a failure all the same.

# untraced
# To be called in setup. From now on the command that fails a test prints its place
# and its callers. Does nothing outside bats.
untraced() {
	declare -F bats_error_trap >/dev/null || return 0
	set +T
	trap 'untraced_place "$?" "$BASH_COMMAND"; bats_error_trap' ERR
}

# untraced_place <status> <command>
# To standard error, as a substitution's output is somebody's input. Prints nothing
# where a failure does not end the shell, as in a command substitution.
untraced_place() {
	local i
	[[ $- == *e* ]] || return "$1"
	printf 'status %s: %s\n' "$1" "$2" >&2
	for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
		[[ ${BASH_SOURCE[i]} != */bats-core/* ]] || continue
		printf '    in %s, %s, line %s\n' "${FUNCNAME[i]}" "${BASH_SOURCE[i]##*/}" "${BASH_LINENO[i - 1]}" >&2
	done
	return "$1"
}
