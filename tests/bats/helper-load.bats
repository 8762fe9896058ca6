#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug load: many nodes over one connection.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
}

teardown() {
	helper_teardown
}

# restart_with <value>
# A store in which b/value holds it, escapes as of printf %b, and b/one holds 1.
restart_with() {
	store_stop
	printf '%s %b\n' "$home/b/value" "$1" "$home/b/one" 1 >nodes
	store_start --load "$PWD/nodes"
}

@test "values, empty values and absent nodes are returned in the order of the keys" {
	store_set "$home/b/one" 1 "$home/b/empty" ''
	call load b one absent empty one
	done_with '=1' - '=' '=1'
}

@test "a key with a leading slash is absolute, and so may the base be" {
	store_set "$home/b/one" 1 /vm/x/name web
	call load b /vm/x/name one
	done_with '=web' '=1'
	call load "$home/b" one
	done_with '=1'
}

@test "values are returned byte for byte" {
	# shellcheck disable=SC2016 # not to be expanded is the point
	restart_with 'a\r\x01\xff\\ $(x)`"='
	call load b value one
	done_with $'=a\r\x01\xff\\ $(x)`"=' =1
}

@test "a value that holds a NUL byte is an error of that key alone" {
	restart_with 'a\0b'
	call load b value one
	done_with '!holds a NUL byte' =1
}

@test "a node that the store denies is an error of that key alone, not an absent node" {
	helper_teardown
	store_start --listen "$BATS_TEST_TMPDIR/guest:5"
	cd "$BATS_TEST_TMPDIR" || return
	store_set /secret x /open y
	xenstore-chmod /open n0 r5
	XENSTORED_PATH=$BATS_TEST_TMPDIR/guest call load /none /secret /open
	done_with '!Permission denied' =y
}

@test "a store error is distinguished from an absent node" {
	store_set "$home/b/one" 1 "$home/b/two" 2
	store_fault 'read:b/one@1=EINVAL'
	call load b one two
	done_with '!Invalid argument' =2
}

@test "a path that is too long is an error of that key alone" {
	store_set "$home/b/one" 1
	call load b "$(printf '%04000d' 0)" one
	done_with '!the path is too long' =1
	call load b one "$(printf '%04000d' 0)"
	done_with '=1' '!the path is too long'
}

@test "a thousand keys are read" {
	local keys=() expected=() i
	store_set "$home/b/last" end
	for ((i = 0; i < 1000; i++)); do
		keys+=("some/path/of/a/node/$i")
		expected+=(-)
	done
	call load b "${keys[@]}" last
	done_with "${expected[@]}" =end
}

@test "many values of the largest size are read" {
	local value i keys=()
	value=$(printf '%04000d' 0)
	for ((i = 0; i < 100; i++)); do
		store_set "$home/b/$i" "$value"
		keys+=("$i")
	done
	call load b "${keys[@]}"
	((status == 0 && ${#reply[@]} == 100))
	[[ ${reply[0]} == "=$value" && ${reply[99]} == "=$value" ]]
}

@test "a key may begin with a dash after --" {
	call load -- b -key --lock
	done_with - -
}

@test "one call makes one connection and one request for each key" {
	local before
	before=$(store_requests)
	call load b one two three
	done_with - - -
	(($(store_requests) - before == 3))
}

@test "a store that closes the connection is a failure, not a set of absent nodes" {
	store_fault 'read:b/two@1=drop'
	call load b one two three
	ended 1 'The connection to xenstored broke (*'
}

@test "a store that does not answer fails the call after the deadline" {
	store_fault 'read:b/two@1=hang'
	call load --deadline 0.3 b one two
	ended 5 'The store did not answer within 0.3 s; see whether xenstored runs*'
}
