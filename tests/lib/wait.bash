# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Limits, in seconds, that follow from how slow this machine is; and waiting for
# what happens elsewhere.

# shellcheck source=pace.bash
. "${BASH_SOURCE[0]%/*}/pace.bash"

generous=$((30 * TEST_PACE))    # longer than anything takes that should happen at once
soon=$((20 * TEST_PACE))        # a call that waits for nobody ends in this time
in_time=$((34 + 4 * TEST_PACE)) # a call ends in this time, whatever hangs: 34 s and some work

# gone <process id>
# It is dead, or is dying and does nothing any more (PF_EXITING of Linux' sched.h).
gone() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	# Behind its name, which may hold anything.
	read -ra stat <<<"${stat##*) }"
	[[ ${stat[0]} == [ZX] ]] || ((stat[6] & 4))
}

# until_true <command>...
# Waits until it succeeds. Status 1 if it never does. Keeps $! as it is.
until_true() {
	within "$generous" "$@"
}

# within <seconds> <command>...
# The same with another limit.
within() {
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		((SECONDS < end)) || return 1
		sleep 0.02
	done
}
