# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Processes that stand for QEMU and tapdisk: they have files open, and do nothing.
# Sourced by bats files, after helper.bash or host.bash.

servers=() # those that run

# server <program> <mode:file>...
# Starts one, whose executable has that name, as root. It has opened the files, r or
# w, before this returns. Sets server_pid.
server() {
	server_of "$1" 0 "${@:2}"
}

# server_of <program> <user id> <mode:file>...
# The same for another user. Files are opened before the user changes.
server_of() {
	local program=$BATS_TEST_TMPDIR/servers/$1
	mkdir -p "${program%/*}"
	[[ -e $program ]] || cp "$(type -P sleep)" "$program"
	# shellcheck disable=SC2016 # that shell expands
	bash -c '
		exec {program}<"$1"
		for file in "${@:3}"; do
			if [[ $file == r:* ]]; then exec {fd}<"${file#?:}"; else exec {fd}<>"${file#?:}"; fi
		done
		exec setpriv --reuid "$2" --regid "$2" --clear-groups --pdeathsig KILL "/proc/self/fd/$program" infinity
	' server "$program" "${@:2}" 3>&- 9>&- &
	server_pid=$!
	servers+=("$server_pid")
	until_true server_runs "$program"
}

# server_runs <program> [process id]
# Is that process, or the last server, the program by now?
server_runs() {
	[[ /proc/${2-$server_pid}/exe -ef $1 ]]
}

# servers_stop
# For teardown.
servers_stop() {
	local pid
	for pid in "${servers[@]}"; do
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	servers=()
}
