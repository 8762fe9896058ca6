# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Waiting for what happens elsewhere.

# Longer than anything takes on a slow machine, for what is to happen at once.
generous=30

# until_true <command>...
# Waits until it succeeds. Status 1 if it never does. Keeps $! as it is.
until_true() {
	local end=$((SECONDS + generous))
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.02
	done
}
