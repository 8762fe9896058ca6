#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug fail: the one sentence that reaches the person.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	device 3
	b=backend/"vbd/3/$devid"
}

teardown() {
	helper_teardown
}

@test "the sentence goes to the store, standard error and the log" {
	call fail "$b" 'Disk x is missing; create it.' '+ first' '+ second'
	((status == 0))
	[[ $error == 'Disk x is missing; create it.' && ! -s out ]]
	[[ $(store_get "$home/$b/hotplug-error") == 'Disk x is missing; create it.' ]]
	[[ $(store_get "$home/$b/hotplug-status") == error ]]
	[[ $(<log) == $'err: Disk x is missing; create it.\nnotice: + first\nnotice: + second\nnotice: guest: guest3' ]]
}

@test "the status can be busy" {
	call fail --status busy "$b" 'In use.'
	((status == 0))
	[[ $(store_get "$home/$b/hotplug-status") == busy ]]
}

@test "control characters, invalid bytes and bidirectional overrides are escaped" {
	call fail "$b" $'a\nb\x1b[2J\xff \xc2\x9b \xe2\x80\xae \xed\xa0\x80 käse €.' $'tr\race'
	((status == 0))
	local text='a\nb\x1b[2J\xff \xc2\x9b \xe2\x80\xae \xed\xa0\x80 käse €.'
	[[ $error == "$text" ]]
	[[ $(store_get "$home/$b/hotplug-error") == "$text" ]]
	grep -qxF 'notice: tr\race' log
}

@test "a sentence that is too long is truncated at a character" {
	call fail "$b" "$(printf 'ä%.0s' {1..2000})"
	((status == 0))
	[[ $error == ää*ä… ]]
	(($(printf %s "$error" | wc -c) <= 1024))
	[[ $(store_get "$home/$b/hotplug-error") == "$error" ]]
}

@test "nothing is written for a device that is gone" {
	call fail backend/vbd/9/9 'It broke.'
	((status == 1))
	[[ $error == "It broke."$'\n'"The device 'backend/vbd/9/9' is gone from the store"* ]]
	lacks "$home/backend/vbd/9"
}

@test "without a store the sentence still reaches the log and standard error" {
	store_stop
	call fail "$b" 'It broke.'
	((status == 1))
	[[ $error == $'It broke.\nCannot connect to xenstored ('* && $(wc -l <err) == 2 ]]
	[[ $(<log) == 'err: It broke.' ]]
}

@test "the sentence reaches the log even if the store hangs" {
	store_fault 'transaction_start@1=hang'
	call fail --deadline 0.3 "$b" 'It broke.'
	((status == 5))
	[[ $error == $'It broke.\nThe store did not answer within 0.3 s'* ]]
	[[ $(<log) == 'err: It broke.' ]]
}

@test "a transaction that conflicts is retried" {
	store_fault 'transaction_end@1=EAGAIN'
	call fail "$b" 'It broke.'
	((status == 0))
	[[ $(store_get "$home/$b/hotplug-error") == 'It broke.' ]]
}
