# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug gc, killed at any moment, itself, the call that it starts, or what that
# starts: the next gc leaves nothing. And gc beside attaches.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/gc

# A loop device that a call gives up may be another test's a moment later, and its guest is none
# of this test's store: gc is asked about these alone, whose numbers no other test has.
devices=("vbd/1/$$" "vbd/5/$$" vif/1/0)

setup() {
	host_start
	domain 1
}

teardown() {
	report_moment
	host_stop
}

# stale_subject
# The subject is attached, and then stale.
stale_subject() {
	domain 1
	subject_nodes
	libxl attach
	assert_ended 0
	if [[ $subject == vif ]]; then
		xenstore-rm backend/vif/1
	else
		stale 1 "$subject_type"
	fi
}

# collected
# gc releases all that is stale of these tests' devices.
collected() {
	gc "${devices[@]}" >"$BATS_TEST_TMPDIR/said"
}

# gc_killed_everywhere <role> <least number of moments>
gc_killed_everywhere() {
	local line tried=0
	stale_subject
	gc_under=("$moments_tool" --log "$moments_log")
	collected
	mapfile -t moments < <(awk -v role="$1" '$1 == role { print $2 }' "$moments_log")
	sample_of "${#moments[@]}"
	for line in "${moments[@]}"; do
		sampled || continue
		moment="$1, moment $line"
		stale_subject
		gc_under=("$moments_tool" --log "$moments_log" --at "$1:$line:KILL")
		collected || :
		gc_under=()
		if moment_came "$1" "$line"; then tried=$((tried + 1)); else sample_next; fi
		# What was killed may take a moment to die, and has the lock until then.
		until_true collected
		assert_nothing_held
	done
	say_tried "$tried" "moments of the $1" "$2"
}

@test "after a kill of gc at any moment, the next one releases a stale disk" {
	subject_make disk
	gc_killed_everywhere parent 7
}

@test "after a kill of gc's call at any moment, the next gc releases a stale disk" {
	subject_make disk
	gc_killed_everywhere script 23
}

@test "after a kill of what gc's call starts at any moment, the next gc releases a stale disk" {
	subject_make disk
	gc_killed_everywhere command 17
}

@test "after a kill of gc at any moment, the next one releases a stale interface" {
	subject_make vif
	gc_killed_everywhere parent 5
}

@test "after a kill of gc's call at any moment, the next gc releases a stale interface" {
	subject_make vif
	gc_killed_everywhere script 22
}

@test "after a kill of what gc's call starts at any moment, the next gc releases a stale interface" {
	subject_make vif
	gc_killed_everywhere command 56
}

@test "an attach that meets a stale device and is killed at any moment leaves nothing that is not collected" {
	local line tried=0
	subject_make disk
	stale_subject
	domain 5
	again() {
		xenstore-rm backend/vbd/5 2>/dev/null || :
		vbd 5 $$ "$image"
		libxl_environment vbd 5 $$
		host env "${environment[@]}" "$moments_tool" --log "$moments_log" "$@" "$scripts/block" add </dev/null
	}
	again
	mapfile -t moments < <(awk '$1 == "parent" { print $2 }' "$moments_log")
	block_remove 5 $$
	sample_of "${#moments[@]}"
	for line in "${moments[@]}"; do
		sampled || continue
		moment="parent, moment $line"
		stale_subject
		again --at "parent:$line:KILL" || :
		if moment_came parent "$line"; then tried=$((tried + 1)); else sample_next; fi
		xenstore-rm backend/vbd/5
		until_true collected
		assert_nothing_held
	done
	say_tried "$tried" moments 19
}

@test "gc beside attaches and detaches releases no device that has nodes" {
	local round
	image disk.img
	for round in 1 2 3 4 5 6; do
		vbd 1 $$ "$image"
		beside_gc block_add
		assert_node backend/vbd/1/$$/hotplug-status connected
		[[ "$(host_loops)" ]]
		beside_gc block_remove
		until_true no_loops
		xenstore-rm backend/vbd/1
	done
}

# beside_gc block_add|block_remove
# The call of guest 1's disk succeeds, and no gc during it finds a stale device.
beside_gc() {
	local call
	"$1" 1 $$ 3>&- &
	call=$!
	until gone "$call"; do
		collected
		diff "$BATS_TEST_TMPDIR/said" - <<<'Nothing is stale.'
	done
	wait "$call"
}
