# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What the kernel and the store have after a call, for tests that know nothing
# of the scripts. Sourced by bats files, after host.bash.

# link <interface> <jq filter>
# What the kernel says of the interface.
link() {
	host ip -json -details link show dev "$1" | jq -r ".[0] | $2"
}

# assert_link_up <interface>, assert_link_down <interface>
assert_link_up() { [[ "$(link "$1" '.flags | index("UP") != null')" == true ]]; }
assert_link_down() { [[ "$(link "$1" '.flags | index("UP") != null')" == false ]]; }

# loop_of <image>
# The loop devices over it, each in a line; not one that is detached, and goes
# when the last one who looks at it has closed it. From sysfs, since losetup would have
# the kernel ask each loop device's file, which may be on another test's silent server.
loop_of() {
	local file loop clears
	while read -r loop file; do
		read -r clears 2>/dev/null <"/sys/block/${loop#/dev/}/loop/autoclear" || continue
		[[ $file != "$1" || $clears == 1 ]] || echo "$loop"
	done < <(host_loops)
}

# read_only <image>
# 1 where its loop device cannot be written, else 0.
read_only() {
	local loop
	while read -r loop; do
		cat "/sys/block/${loop#/dev/}/ro"
	done < <(loop_of "$1")
}

# nodes_remember
# Keeps what the store has now, for nodes_changed.
nodes_remember() {
	xenstore-ls -f / >"$BATS_TEST_TMPDIR/nodes"
}

# nodes_changed
# Prints the nodes that are new, or have another value, and those that are gone.
nodes_changed() {
	xenstore-ls -f / | diff "$BATS_TEST_TMPDIR/nodes" - | sed -n -e 's/^> //p' -e 's/^< \([^ ]*\) .*/gone or other: \1/p'
}

# assert_changed [line...]
# Exactly these nodes are new, as xenstore-ls shows them.
assert_changed() {
	local expected='' changed
	changed=$(nodes_changed)
	(($# == 0)) || expected=$(printf '%s\n' "$@")
	[[ $changed == "$expected" ]] || {
		printf 'changed:\n%s\nand not:\n%s\n' "$changed" "$expected"
		return 1
	}
}

# assert_at_most_gone <path> <node>...
# No node was written, and at most these, which an attach writes, are gone.
assert_at_most_gone() {
	local line
	while IFS= read -r line; do
		[[ " ${*:2} " == *" ${line##*"gone or other: /local/domain/0/$1/"} "* ]] || {
			printf 'changed: %s\n' "$line"
			return 1
		}
	done < <(nodes_changed)
}

# last_written
# The node that was written last.
last_written() {
	awk '$4 == "WRITE" && $NF == "ok" { node = $6 } END { print node }' "$STORE_LOG"
}

# assert_failed <path> <hotplug-status> <part of the sentence>
# The call that bats' run made failed, the device's nodes say why, and none of
# them makes a backend connect.
assert_failed() {
	local sentence node
	[[ $status == 1 ]] || {
		echo "exit status $status, not 1"
		return 1
	}
	assert_node "$1/hotplug-status" "$2" || return
	sentence=$(store_get "$1/hotplug-error")
	echo "hotplug-error: $sentence"
	[[ $sentence == *"$3"* ]] || return
	for node in physical-device physical-device-path; do
		if store_has "$1/$node"; then
			echo "the node $node was published"
			return 1
		fi
	done
}

# seen <what>...
# Tells, in the output of a test that fails, what the scripts have done.
seen() {
	echo "seen: $*"
}
