# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A limit for tests that hang, in place of BATS_TEST_TIMEOUT. That starts two
# processes for each test. In bats 1.8, a test that ends at once may leave them
# behind: they keep bats' output open, and at the limit they send a signal to a
# process number that another test's process may have by then.

# watched <seconds> <command>...
# Runs bats, and copies its output. If none comes for that time, ends the tests
# that run: each of them fails, its teardown runs, and bats goes on. If no test
# runs, it ends bats. Status: the command's.
watched() {
	local output pid line status
	exec {output}< <(exec setpriv --pdeathsig TERM "${@:2}" 2>&1)
	pid=$!
	while :; do
		status=0
		IFS= read -r -t "$1" -u "$output" line || status=$?
		if ((status == 0)); then
			printf '%s\n' "$line"
		elif ((status > 128)); then
			watched_end "$pid" "$1"
		else
			break
		fi
	done
	exec {output}<&-
	wait "$pid"
}

# watched_end <process id of bats> <seconds>
watched_end() {
	local test tests processes
	mapfile -t tests < <(watched_tests "$1")
	for test in "${tests[@]}"; do
		echo "# This test is ended, because it hangs: for $2 s, neither a test of its file nor a case has ended."
		processes=("$test")
		mapfile -t -O 1 processes < <(watched_children "$test")
		kill "${processes[@]}" 2>/dev/null || :
	done
	((${#tests[@]})) || kill "$1" 2>/dev/null || :
}

# watched_tests <process id>
# Prints the processes below it that each run a test; not those of a bats that a test runs.
watched_tests() {
	local pid
	while read -r pid; do
		if grep -qs bats-exec-test "/proc/$pid/cmdline"; then
			echo "$pid"
		else
			watched_tests "$pid"
		fi
	done < <(watched_children "$1")
}

# watched_children <process id>
# Prints each in a line.
watched_children() {
	cat "/proc/$1/task"/*/children 2>/dev/null | xargs -r -n 1
}
