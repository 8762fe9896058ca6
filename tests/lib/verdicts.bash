# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Which frames of a guest pass its filter. They are sent from the guest's end of the
# interface, and looked for at another port of the bridge. Sourced by bats files,
# after enumerate.bash and wire.bash; it has the set-up of their tests.

# setup
setup() {
	wire_host
}

# teardown
teardown() {
	report_moment
	wire_stop
}

# guest [node value]...
# A guest with these nodes, attached, whose end of the interface is up.
guest() {
	vif 1 0 bridge xenbr0 "$@"
	online 1 0
	host ip link set guest1.0 up
}

# arriving <last frame> < frames
# Those that arrive at another port. The last one is of those that do.
arriving() {
	host "$root/tests/frames/send" guest1.0 other "$1"
}

# verdicts <last frame> < lines
# Each line is yes or no, and the frame that passes or does not.
verdicts() {
	local verdict frame passed all wrong=''
	all=$(grep '[a-z]')
	passed=$(cut -d ' ' -f 2- <<<"$all" | arriving "$1") || return
	while read -r verdict frame; do
		if grep -qxF -- "$frame" <<<"$passed"; then
			[[ $verdict == yes ]] || wrong+="passes: $frame"$'\n'
		else
			[[ $verdict == no ]] || wrong+="does not pass: $frame"$'\n'
		fi
	done <<<"$all"
	[[ ! $wrong ]] || {
		printf '%s' "$wrong"
		host nft list ruleset
		return 1
	}
}
