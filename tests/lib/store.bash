# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A xenstore of its own for each test: sourced by bats files.

# shellcheck source=wait.bash
. "${BASH_SOURCE[0]%/*}/wait.bash"

MOCK_XENSTORED=${MOCK_XENSTORED:-${BASH_SOURCE[0]%/*}/../mock-xenstored/mock-xenstored}

# store_start [option...]
# Starts a store, with these options of mock-xenstored on top. Sets
# STORE_DIR, STORE_LOG, STORE_FAULTS and XENSTORED_PATH (domain 0's socket). Status: the mock's.
store_start() {
	STORE_DIR=$BATS_TEST_TMPDIR/store
	STORE_LOG=$STORE_DIR/log
	STORE_FAULTS=$STORE_DIR/faults
	export XENSTORED_PATH=$STORE_DIR/xs
	[[ -d $STORE_DIR ]] || mkdir -p "$STORE_DIR" || return
	: >"$STORE_LOG"
	"$MOCK_XENSTORED" --daemon --parent $$ --pid-file "$STORE_DIR/pid" --log "$STORE_LOG" \
		--faults "$STORE_FAULTS" --listen "$XENSTORED_PATH" "$@"
}

# store_gone <pid>
# Waits until the process has ended. Status 1 if it does not.
store_gone() {
	local stat deadline=$((SECONDS + generous))
	# It is no child of ours, so there is nothing to wait(1) for; and whoever is its parent now may
	# take its time to notice that it is a zombie.
	while { read -r stat <"/proc/$1/stat"; } 2>/dev/null && [[ $stat != *') Z '* ]]; do
		((SECONDS < deadline)) || return 1
		sleep 0.01
	done
}

# store_stop
# Ends the store and waits until it is gone. Status 0 also if there is none (any more),
# 1 if it does not end.
store_stop() {
	local pid
	[[ -s ${STORE_DIR:-}/pid ]] || return 0
	pid=$(<"$STORE_DIR/pid")
	: >"$STORE_DIR/pid"
	kill "$pid" 2>/dev/null || return 0
	store_gone "$pid"
}

# store_set <path> <value> [path value...]
# Writes nodes as domain 0. Status: xenstore-write's.
store_set() {
	xenstore-write -R "$@"
}

# store_get <path>
# Prints the node's value, raw, without a newline after it. Status: 1 if there is no
# such node.
store_get() {
	xenstore-read -R "$1"
}

# store_has <path>
# Is there such a node? Leaves nothing on standard error.
store_has() {
	xenstore-exists "$1"
}

# store_fault <spec>...
# Orders these faults, instead of those ordered before; N in one counts from
# now. Status 2, with a message, if one is no fault.
store_fault() {
	local spec arguments=()
	for spec; do
		arguments+=(--fault "$spec")
	done
	"$MOCK_XENSTORED" --check "${arguments[@]}" || return
	# At once, so that the mock never sees a part of it.
	printf '%s\n' "$@" >"$STORE_FAULTS.new" && mv "$STORE_FAULTS.new" "$STORE_FAULTS"
}

# store_fault_none
# Nothing is to go wrong any more.
store_fault_none() {
	[[ ! -e $STORE_FAULTS ]] || rm "$STORE_FAULTS"
}

# store_requests [type]
# Prints how many requests (of that type: READ, WRITE, ...) were served since
# the start.
store_requests() {
	awk -v type="${1:-}" '!/^#/ && (type == "" || $4 == toupper(type)) { n++ } END { print n + 0 }' \
		"$STORE_LOG"
}
