# SPDX-License-Identifier: LGPL-2.1-only
# A run of the model (tests/model) that is ended by a signal leaves nothing behind.

bats_require_minimum_version 1.5.0
root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

setup() {
	. "$root/tests/lib/wait.bash"
	shopt -s nullglob
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	[[ ! ${run-} ]] || kill -KILL "$run" 2>/dev/null || :
}

# played
# Sets directory to the run's, once it plays.
played() {
	local child children=() words=()
	directory=''
	read -ra children <"/proc/$run/task/$run/children" || :
	for child in "${children[@]}"; do
		mapfile -d '' -t words <"/proc/$child/cmdline"
		[[ ${words[*]} != *tests/model/keeper* ]] || directory=${words[-1]}
	done
	[[ $directory == /tmp/xen-hotplug-model.* && $(<said) == *'model: schedules of seed'* ]] && has_loop
}

# has_loop
# Has the run, whose directory that is, a loop device?
has_loop() {
	grep -qs -e "^$directory/" /sys/block/loop*/loop/backing_file
}

# cleared
# Is nothing left of it?
cleared() {
	[[ ! -e $directory ]] && ! has_loop && ! grep -qsaF "$directory" /proc/[0-9]*/cmdline
}

# ended_by <signal>
# The run is ended by that while it plays.
ended_by() {
	"$root/tests/model/run" --seed 2 --schedules 1000 >said 2>&1 3>&- &
	run=$!
	within $((4 * generous)) played # a schedule is dozens of calls
	kill -"$1" "$run"
	within $((4 * generous)) cleared
}

@test "a run of the model that is ended by SIGTERM leaves nothing" {
	ended_by TERM
}

@test "a run of the model that is ended by SIGKILL leaves nothing" {
	ended_by KILL
}
