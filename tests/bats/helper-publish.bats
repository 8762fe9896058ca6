#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug publish and forget: the end of an attach, and of a detach.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	device 3
	b=backend/"vbd/3/$devid"
}

teardown() {
	helper_teardown
}

# node <key>
# What the device's node holds.
node() {
	store_get "$home/$b/$1"
}

@test "all items are written and removed in one transaction" {
	store_set "$home/$b/old" x
	local before
	before=$(store_requests TRANSACTION_START)
	call publish "$b" physical-device=7:0 old never-there empty= 'eq=a=b' /absolute/node=-v
	done_with
	(($(store_requests TRANSACTION_START) - before == 1))
	[[ $(node physical-device) == 7:0 && $(node empty) == '' && $(node eq) == a=b ]]
	[[ $(store_get /absolute/node) == -v ]]
	lacks "$home/$b/old"
}

@test "nothing is written for a device that is gone" {
	xenstore-rm "$home/$b"
	call publish "$b" physical-device=7:0
	ended 3 "The device '$b' was removed while it was being attached;*"
	lacks "$home/$b"
}

@test "without items, publish only checks that the device still exists" {
	call publish "$b"
	done_with
	call publish backend/vbd/9/9
	((status == 3))
}

@test "a device with only frontend-id exists" {
	xenstore-rm "$home/$b/frontend"
	call publish "$b" a=b
	done_with
}

@test "nothing is written if one item fails" {
	store_fault "write:$b/second@1+=ENOSPC"
	call publish "$b" first=1 second=2
	ended 1 "Cannot write the node '$b/second' in the store (No space left on device)*"
	lacks "$home/$b/first"
}

@test "an optional item is skipped if the store denies it" {
	helper_teardown
	store_start --listen "$BATS_TEST_TMPDIR/guest:5"
	cd "$BATS_TEST_TMPDIR" || return
	device 3
	xenstore-chmod -r "$home/$b" n5
	store_set /foreign x
	XENSTORED_PATH=$BATS_TEST_TMPDIR/guest call publish "$home/$b" a=1 '?/foreign=y' '?/foreign'
	done_with
	[[ $(node a) == 1 && $(store_get /foreign) == x ]]
	XENSTORED_PATH=$BATS_TEST_TMPDIR/guest call publish "$home/$b" a=2 /foreign=y
	ended 1 "The store does not let this domain write the node '/foreign'*"
	[[ $(node a) == 1 ]]
}

@test "an optional item is written if the store allows it" {
	call publish "$b" '?a=1'
	done_with
	[[ $(node a) == 1 ]]
}

@test "a transaction that conflicts is retried" {
	store_fault 'transaction_end@1=EAGAIN' 'transaction_end@2=EAGAIN'
	call publish "$b" a=1
	done_with
	[[ $(node a) == 1 ]]
}

@test "a transaction that always conflicts fails with a sentence" {
	store_fault 'transaction_end@1+=EAGAIN'
	call publish "$b" a=1
	ended 1 "The changes to '$b' conflicted with other changes to the store * times;*"
	lacks "$home/$b/a"
}

@test "a value that is too large is an error that names the node" {
	call publish "$b" "a=$(printf '%05000d' 0)"
	ended 1 "Cannot write the node '$b/a', because its path and value are longer*"
	call publish "$b" "$(printf '%04000d' 0)=x"
	ended 1 "Cannot write the node '0000*…'*"
}

@test "the line is logged only after success" {
	call publish --log 'Disk attached.' "$b" a=1
	done_with
	[[ $(<log) == 'info: Disk attached.' ]]
	call publish --log 'Attached again.' backend/vbd/9/9 a=1
	((status == 3))
	[[ $(<log) == 'info: Disk attached.' ]]
}

@test "a log that cannot be written, or is a link, fails nothing" {
	ln -s elsewhere link
	XEN_HOTPLUG_LOG=$PWD/link call publish --log line "$b" a=1
	done_with
	[[ ! -e elsewhere ]]
	XEN_HOTPLUG_LOG=$PWD/no/such/dir call publish --log line "$b" a=2
	done_with
	mkfifo fifo
	XEN_HOTPLUG_LOG=$PWD/fifo call publish --log line "$b" a=3
	done_with
}

@test "forget removes the file and logs" {
	: >journal
	call forget --log $'Detached\nhere.' journal
	done_with
	[[ ! -e journal && $(<log) == 'info: Detached\nhere.' ]]
	call forget journal
	done_with
}

@test "forget names the file that it could not remove" {
	mkdir -p full/dir
	call forget full
	ended 1 "Cannot remove 'full' (Is a directory);*"
}
