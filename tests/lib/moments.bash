# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A signal at each moment of an attach or detach, to any of the processes that
# take part: the parent, whom libxl has started, the script, the workers, or the
# commands (tests/moments/moments.c says what these are). Sourced by enumerate.bash.

moments_tool=$root/tests/moments/moments
moments_log=${BATS_TEST_TMPDIR-}/moments # the log of the last call; bats has no directory yet when it counts tests

# moments_of attach|detach [role]
# Makes the call in peace, and sets the array moments to the role's moments (the
# parent's), each a number and the name of the system call.
moments_of() {
	libxl "$1" "$moments_tool" --log "$moments_log"
	assert_ended 0
	mapfile -t moments < <(awk -v role="${2:-parent}" '$1 == role { print $2, $3 }' "$moments_log")
	sample_of "${#moments[@]}"
}

# signalled_at attach|detach <role> <number> <signal>
# Makes the call, and sends the signal to the process that comes to that moment.
# A call in which something is stopped goes on as long as libxl lets it, which
# then kills the parent alone: here that comes as soon as the process has stopped.
# Result: its exit status in ended; moment_came says whether the moment did come.
signalled_at() {
	local patience=''
	moment="$1, $4 at moment $3 of the $2"
	: >"$moments_log"
	if [[ $4 == STOP ]]; then
		signalled_gives_up "$2" "$3" 3>&- &
		patience=$!
	fi
	libxl "$1" "$moments_tool" --log "$moments_log" --at "$2:$3:$4"
	[[ ! $patience ]] || { kill "$patience" && wait "$patience"; } 2>/dev/null || :
}

# signalled_gives_up <role> <number>
# Waits until the process has been stopped at that moment, and kills the parent.
signalled_gives_up() {
	until_true moment_is "$1" "$2" stopped && kill -KILL "$(moment_pid parent)"
}

# moment_is <role> <number> <what>
# Has the log this line? It starts no program, as it is asked hundreds of times.
moment_is() {
	local role number what
	while read -r role number what _; do
		[[ "$role $number $what" != "$1 $2 "$3 ]] || return 0
	done <"$moments_log"
	return 1
}

# moment_came <role> <number>
# In the last call, did this moment come?
moment_came() {
	moment_is "$1" "$2" '*'
}

# moment_pid <role> [number]
# Prints the process of that moment, or of the role's first one.
moment_pid() {
	awk -v role="$1" -v number="${2:-1}" '$1 == role && $2 == number { print $4; exit }' "$moments_log"
}

# signalled_everywhere attach|detach <role> <signal> <least number of moments>
# The signal comes at each moment of the role in that call for the subject; what
# must be true then, assert_signalled says, and the detach after it leaves nothing.
# That the device works again, the next attach shows, and the last one to its end.
signalled_everywhere() {
	local line tried=0
	libxl attach # makes the directory under /run, which only the first does
	assert_detaches
	killed_subject "$1"
	moments_of "$1" "$2"
	assert_detaches
	for line in "${moments[@]}"; do
		! sampled || signalled_once "$1" "$2" "${line%% *}" "$3"
	done
	assert_works_again
	say_tried "$tried" "moments of the $2 ($3)" "$4"
}

# signalled_once attach|detach <role> <number> <signal>
# The signal comes at that moment. Counts in tried, if it came: another order of workers or
# commands may make one of them less.
signalled_once() {
	killed_subject "$1"
	signalled_at "$@"
	if moment_came "$2" "$3"; then
		tried=$((tried + 1))
		assert_signalled "$1" "$2" "$4"
	else
		sample_next
	fi
	assert_detaches
	assert_none_stopped
}

# assert_signalled attach|detach <role> <signal>
# What is true after that call and before the detach. A parent that was killed, by
# us or as libxl does, says nothing; else the attach says what became of it.
assert_signalled() {
	case $2:$3 in
	parent:KILL | *:STOP)
		assert_ended 137
		assert_lock_outlasts
		;;
	parent:*) ;;
	*) [[ $1 == detach ]] || assert_all_or_nothing ;;
	esac
}

# assert_lock_outlasts
# The lock of a parent that was killed is free once all that it had started is dead,
# but for daemons, which the device has until it is detached. The first worker takes it.
assert_lock_outlasts() {
	local role name pid
	grep -q '^worker .* exit_group ' "$moments_log" || return 0
	"$root/helpers/xen-hotplug" lock --wait "$generous" "9:$subject_type/1/$subject_id" 9<>"$BATS_TEST_TMPDIR/run/xen-hotplug/lock"
	while read -r role _ name pid; do
		gone "$pid" || is_daemon "$pid" || {
			echo "the lock is free, but the $role ($pid, $name) is not dead"
			return 1
		}
	done <"$moments_log"
}

# is_daemon <process id>
# Has it a session of its own?
is_daemon() {
	[[ $(ps -o sid= -p "$1") != "$(ps -o sid= -p $$)" ]]
}

# assert_none_stopped
# What the last call has stopped, has ended since; else it is ended now.
assert_none_stopped() {
	until_true none_stopped || {
		echo "still stopped: process $(stopped_pids | xargs)"
		end_stopped
		return 1
	}
}

# none_stopped
none_stopped() {
	[[ ! $(<"$moments_log") == *' stopped '* || ! $(stopped_pids) ]]
}

# stopped_pids
# Prints the processes that the last call has stopped, and that are so still.
stopped_pids() {
	local pid state
	while read -r _ _ _ pid; do
		state=$(awk '/^State/ { print $2 }' "/proc/$pid/status" 2>/dev/null) || :
		[[ $state != [tT] ]] || echo "$pid"
	done < <(grep -s ' stopped ' "$moments_log")
}

# end_stopped
# Ends them. For teardown, before host_stop: they may hold locks.
end_stopped() {
	local pid
	while read -r pid; do
		kill -KILL "$pid"
	done < <(stopped_pids)
}
