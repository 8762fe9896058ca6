# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # scripts expand it
# A stale device whose release hangs: it ends by itself within the time of whoever started it.
# bats file_tags=waits

load ../lib/host
load ../lib/observe
load ../lib/gc

setup() {
	host_start
	domain 1
	domain 5
	image disk.img
	helper=$root/helpers/xen-hotplug
	own=$BATS_TEST_TMPDIR/block-own
	hanging ':'
}

teardown() {
	hanging ':'
	host_stop
}

# hanging <what the release does>
# Makes a script of a disk with a thing, which is released first.
hanging() {
	own_script "$own" <<-END
		device block 'A disk with a thing.'
		target disk 'The image.'
		resources() { use disk "\$target" "\$mode"; use thing; }
		thing_acquire() { :; }
		thing_release() { $1; }
		hotplug "\$@"
	END
}

# stale_thing <what the release does>
# Guest 1 has had such a disk, and no detach was called.
stale_thing() {
	stale_own "$own"
	hanging "$1"
}

# collect <seconds>
# What gc and an attach start.
collect() {
	run host env XENBUS_PATH=backend/vbd/1/51712 "$helper" call --stale "$1" "$own" collect
}

@test "the release of a stale device ends within the time that it is given, with a sentence" {
	local what
	for what in 'while :; do :; done' 'kill -STOP "$$"' 'run sh -c "trap : TERM; exec sleep 1000"; while :; do :; done'; do
		domain 1
		stale_thing "$what"
		collect 6
		[[ $status == 1 && ${output##*$'\n'} == 'block-own was not done within 2 s and was ended, as it waited for '* ]]
		grep -q "block-own: collect of vbd/1/51712 failed\." "$log"
		[[ "$(host_journals)" == 'journal vbd-1-51712' ]]
		hanging ':'
		gc
		rm "$log"
	done
}

@test "an attach that meets a stale device whose release hangs logs why" {
	stale_thing 'kill -STOP "$$"'
	vbd 5 51712 "$image"
	run block_add 5 51712
	assert_refused backend/vbd/5/51712 busy "is still held for vbd/1/51712, which no longer exists; run 'xen-hotplug gc', which says what keeps it"
	grep -q 'block-own was not done within [0-9]* s and was ended' "$log"
	[[ "$(host_journals)" == 'journal vbd-1-51712' ]]
	hanging ':'
	gc
}

@test "a stale device is not released in less time than its report takes" {
	stale_thing ':'
	collect 5.9
	[[ $status == 2 && $output == *'The option --stale needs at least 6 s, not '* ]]
	collect ''
	[[ $status == 2 && $output == *'The option --stale needs a number of seconds'* ]]
	[[ "$(host_journals)" == 'journal vbd-1-51712' ]]
	collect 6
	((status == 0))
	assert_residue_free
}
