# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Tests see the same, whoever starts them: a person at a terminal, make, or CI, which has neither
# SHELL nor TERM nor standard input.

# Variables of the caller's that a test has: where things are, what fetches packages, and what a
# person tells the tests.
environment_kept=(PATH HOME TMPDIR XDG_CACHE_HOME http_proxy https_proxy no_proxy
	SAMPLE SEED TEST_LIMIT TESTS_DIR PACE_MS HOTPLUG_SCRIPTS XEN_HOTPLUG MOCK_XENSTORED TEST_XENSTORE)

# environment_reset <program> <argument>...
# To be called by that program, which this starts anew without anything else of the caller's
# environment, without signals that the caller ignores, its umask and its standard input.
environment_reset() {
	local name kept=()
	exec </dev/null
	umask 022
	[[ ${TEST_ENVIRONMENT-} != "$$" ]] || return 0 # the process stays the same
	# Stand-ins have the directory's name in them, without quotes.
	[[ ! ${TMPDIR-} =~ [^A-Za-z0-9/._+-] ]] || unset TMPDIR
	for name in "${environment_kept[@]}"; do
		[[ ! -v $name ]] || kept+=("$name=${!name}")
	done
	# Without SHELL, bash asks the database of users, which may be a server.
	exec env -i --default-signal LC_ALL=C SHELL=/bin/bash TEST_ENVIRONMENT="$$" "${kept[@]}" "$@"
}
