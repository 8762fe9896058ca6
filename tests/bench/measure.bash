# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The cost of a hotplug script: programs started, and CPU time. Needs host and
# BATS_TEST_TMPDIR of ../lib/host.bash.

# programs <script> <argument>...
# Runs the script as libxl does, with the variables of the array environment.
# Prints how many programs started, including the script; programs that a tool
# started under the recorder do not count. The script's output goes to standard
# error. strace -D does not wait for a daemon that the script starts; it traces
# the daemon into the old file, so that file is removed first. Status: the script's.
programs() {
	local trace=$BATS_TEST_TMPDIR/strace
	rm -f -- "$trace"
	host strace -D -f -qq -v -s 4096 --seccomp-bpf -e trace=execve -e status=successful -o "$trace" \
		"${environment[@]/#/--env=}" "$@" </dev/null >&2 3>&- || return
	grep 'execve(' "$trace" | grep -c -v '"BENCH_WITHIN='
}

# now <out-var>
# The time in microseconds.
now() {
	printf -v "$1" '%s' "${EPOCHREALTIME//[!0-9]/}"
}

# median <out-var> <number>...
median() {
	local sorted
	mapfile -t sorted < <(printf '%s\n' "${@:2}" | sort -n)
	printf -v "$1" '%s' "${sorted[${#sorted[@]} / 2]}"
}

# cpu_used <out-var>
# User and system time, in microseconds, of all children that this shell has
# reaped, with their descendants. bash cuts both to milliseconds: the mean of
# many differences is exact, their median is not.
cpu_used() {
	local file=$BATS_TEST_TMPDIR/times-$$ user system
	times >"$file"
	{ read -r _ && read -r user system; } <"$file"
	user=${user//[.s]/} system=${system//[.s]/} # 0m1.234s is now 0m1234
	printf -v "$1" '%s' $((60000000 * (${user%m*} + ${system%m*}) + 1000 * (10#${user#*m} + 10#${system#*m})))
}

# settled <daemons>
# Waits until this shell has reaped all its children but daemons, which a pattern
# of their names describes. The shell is PID 1 of its namespace, so that orphans
# become its children: CPU time of a process that outlives its script counts too.
# Status 1: a process did not end.
settled() {
	local deadline=$((SECONDS + generous))
	while unsettled "$1"; do
		((SECONDS < deadline)) || return
	done
}

# unsettled <daemons>
# Does a child other than a daemon exist? One that is reaped before it was looked
# at may have made its own children ours.
unsettled() {
	local children child name
	read -ra children <"/proc/$$/task/$$/children" || :
	for child in "${children[@]}"; do
		read -r name 2>/dev/null <"/proc/$child/comm" || return 0
		# shellcheck disable=SC2053 # it is a pattern
		[[ $name == $1 ]] || return 0
	done
	return 1
}
