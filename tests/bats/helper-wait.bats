#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug wait: by a watch, with a deadline.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
}

teardown() {
	helper_teardown
}

# watched
# Somebody has set a watch and looked at the node after that.
watched() {
	(($(store_requests WATCH) > 0 && $(store_requests READ) > ${reads:-0}))
}

# wait_in_background <argument>...
# Starts `wait` with these, and returns once it watches.
wait_in_background() {
	reads=$(store_requests READ)
	"$helper" wait --deadline "$generous" "$@" >out 2>err 9>&- 3>&- &
	until_true watched
}

# waited
# As call(), for what wait_in_background() started.
waited() {
	status=0
	wait $! || status=$?
	mapfile -d '' -t reply <out
	error=$(<err)
}

@test "a node that exists already is printed at once" {
	store_set "$home/node" 'a value'
	call wait --deadline "$generous" node
	done_with 'a value'
	call wait --deadline "$generous" node other 'a value'
	done_with 'a value'
}

@test "a node that appears ends the wait" {
	wait_in_background node
	store_set "$home/node" here
	waited
	done_with here
}

@test "only an expected value ends the wait" {
	store_set "$home/state" 1
	wait_in_background "$home/state" 5 6
	store_set "$home/state" 2
	store_set "$home/state" 6
	waited
	done_with 6
}

@test "the removal of the node ends a wait for its removal" {
	store_set "$home/node" here
	wait_in_background --gone node
	xenstore-rm "$home/node"
	waited
	done_with
	call wait --deadline "$generous" --gone node
	done_with
}

@test "the deadline's message names the node, its value and the expected value" {
	store_set "$home/state" 2
	call wait --deadline 0.2 state 5 6
	ended 5 "The node 'state' still holds '2' after 0.2 s, and awaited was '5' or '6';*"
	call wait --deadline 0.2 nothing
	ended 5 "The node 'nothing' is still absent after 0.2 s, and awaited was any value;*"
	call wait --deadline 0.2 --gone state
	ended 5 "The node 'state' still holds '2' after 0.2 s, and awaited was that it goes;*"
}

@test "a store that closes the connection fails the wait" {
	wait_in_background node
	store_stop
	waited
	ended 1 'The connection to xenstored broke (*'
}

@test "a store that does not answer fails the wait after the deadline" {
	store_fault 'read@1=hang'
	call wait --deadline 0.3 node
	ended 5 'The store did not answer within *'
	store_fault 'watch@1=hang'
	call wait --deadline 0.3 node
	ended 5 'The store did not answer within *'
}

@test "a wait does not poll the store" {
	local before
	before=$(store_requests READ)
	call wait --deadline 1 node
	((status == 5))
	(($(store_requests READ) - before <= 3))
}
