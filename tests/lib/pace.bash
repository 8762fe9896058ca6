# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# How slow this machine is, so that the limits of tests follow from it.
#
# TEST_PACE  how many times slower it is than the reference, a whole number, at
#            least 1. A runner measures it once and exports it; a test that is run
#            without one assumes a slow machine.
# PACE_MS    the measure that it follows from, in ms; a runner that is given one
#            does not measure again

pace_reference=100 # ms that the reference takes for 100 process starts on each processor
TEST_PACE=${TEST_PACE:-4}

# pace_measure
# Sets pace_ms, pace_processors and TEST_PACE.
pace_measure() {
	pace_processors=$(nproc)
	pace_ms=${PACE_MS:-}
	[[ $pace_ms ]] || pace_start_processes
	export PACE_MS=$pace_ms TEST_PACE=$(((pace_ms + pace_reference - 1) / pace_reference))
}

# pace_start_processes
# Starts 100 processes one after another on each processor at once, which also
# shows other load and a limit on processor time. Sets pace_ms, the milliseconds
# until the last one ended.
pace_start_processes() {
	local i worker workers=() began=${EPOCHREALTIME//[!0-9]/}
	for ((worker = 0; worker < pace_processors; worker++)); do
		for ((i = 0; i < 100; i++)); do /bin/true; done &
		workers+=($!)
	done
	wait "${workers[@]}"
	pace_ms=$(((${EPOCHREALTIME//[!0-9]/} - began) / 1000))
}

# pace_say
# Prints what was measured, and what follows from it.
pace_say() {
	printf '100 process starts on each of %s processors took %s ms, so limits are %s times those of the reference.\n' \
		"$pace_processors" "$pace_ms" "$TEST_PACE"
}
