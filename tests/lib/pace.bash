# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# How slow this machine is, so that the limits of tests follow from it.
#
# TEST_PACE  how many times slower it is than the reference, a whole number, at
#            least 1. A runner measures it once and exports it; a test that is run
#            without one assumes a slow machine.

pace_reference=100 # ms that the reference takes for 100 process starts on each processor
TEST_PACE=${TEST_PACE:-4}

# pace_measure
# Starts 100 processes one after another on each processor at once, which also
# shows other load and a limit on processor time. Sets pace_ms, the milliseconds
# until the last one ended, pace_processors, and TEST_PACE.
pace_measure() {
	local i worker workers=() began=${EPOCHREALTIME//[!0-9]/}
	pace_processors=$(nproc)
	for ((worker = 0; worker < pace_processors; worker++)); do
		for ((i = 0; i < 100; i++)); do /bin/true; done &
		workers+=($!)
	done
	wait "${workers[@]}"
	pace_ms=$(((${EPOCHREALTIME//[!0-9]/} - began) / 1000))
	export TEST_PACE=$(((pace_ms + pace_reference - 1) / pace_reference))
}

# pace_say
# Prints what was measured, and what follows from it.
pace_say() {
	printf '100 process starts on each of %s processors took %s ms, so limits are %s times those of the reference.\n' \
		"$pace_processors" "$pace_ms" "$TEST_PACE"
}
