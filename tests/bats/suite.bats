# SPDX-License-Identifier: LGPL-2.1-only
# A test that cannot fail is a defect: the suite does fail where it should.

load ../lib/host

# suite <bats code>...
# Runs tests/run on a suite of files with this code, as if it were this one.
suite() {
	local code number=0
	mkdir -p "$BATS_TEST_TMPDIR/suite"
	for code; do
		number=$((number + 1))
		printf '%s\n' "$code" >"$BATS_TEST_TMPDIR/suite/$number.bats"
	done
	# bats tells the tests that it runs about itself by variables, which
	# another bats must not see.
	env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" TMPDIR="$BATS_TEST_TMPDIR" TESTS_DIR="$BATS_TEST_TMPDIR/suite" "$root/tests/run" 3>&-
}

@test "a suite whose tests all pass, passes" {
	run suite '@test "a" { true; }' '@test "b" { true; }'
	[[ "$status" -eq 0 ]]
	[[ "${lines[-1]}" == '2 passed, 0 failed, 0 skipped' ]]
}

@test "a test that fails, fails the suite, and is shown" {
	run suite '@test "a" { true; }' '@test "b" { false; }'
	[[ "$status" -eq 1 ]]
	[[ $output == *'not ok '*' b'* ]]
	[[ "${lines[-1]}" == '1 passed, 1 failed, 0 skipped' ]]
}

@test "a test that is skipped unexpectedly, fails the suite" {
	run suite '@test "a" { true; }' '@test "b" { skip "no loop devices here"; }'
	[[ "$status" -eq 1 ]]
	[[ $output == *'tests/expected-skips does not expect'* ]]
}

@test "a suite without tests, fails" {
	run suite '# nothing'
	[[ "$status" -eq 1 ]]
}

@test "a file of tests that cannot be read by bash, fails the suite" {
	run suite '@test "a" { true; }' '@test "b" { if; }'
	[[ "$status" -eq 1 ]]
}

@test "a set-up or teardown that fails, fails the suite" {
	run suite $'setup() { false; }\n@test "a" { true; }'
	[[ "$status" -eq 1 ]]
	run suite $'teardown() { false; }\n@test "a" { true; }'
	[[ "$status" -eq 1 ]]
}

@test "host_stop fails where a loop device of the test's is left, and detaches it" {
	host_start
	image left.img
	losetup --find "$image"
	HOTPLUG_SCRIPTS='' run host_stop
	[[ "$status" -eq 1 ]]
	[[ $output == *"/dev/loop"*"left.img"* ]]
	[[ -z "$(losetup -j "$image")" ]]
	host_pid=''
}

@test "assert_residue_free fails on a journal, a port and a loop device, each" {
	host_start
	bridge xenbr0
	assert_residue_free
	host mkdir -p /run/xen-hotplug
	host touch /run/xen-hotplug/lock
	assert_residue_free
	host touch /run/xen-hotplug/vif-1-0
	run ! assert_residue_free
	host rm /run/xen-hotplug/vif-1-0
	vif_link vif1.0 guest1.0
	host ip link set vif1.0 master xenbr0
	run ! assert_residue_free
	host ip link set vif1.0 nomaster
	image left.img
	losetup --find "$image"
	run ! assert_residue_free
	losetup -d "$(host_loops | cut -d ' ' -f 1)"
	assert_residue_free
	host_stop
}

@test "assert_nothing_held fails on a journal, a port, a loop device and a lost name, each" {
	load ../lib/enumerate
	host_start
	domain 1
	subject_make vif
	assert_nothing_held
	host mkdir -p /run/xen-hotplug
	host touch /run/xen-hotplug/vif-1-0
	run ! assert_nothing_held
	host rm /run/xen-hotplug/vif-1-0
	host ip link set vif1.0 master xenbr0
	run ! assert_nothing_held
	host ip link set vif1.0 nomaster name web
	run ! assert_nothing_held
	host ip link set web name vif1.0
	image left.img
	losetup --find "$image"
	run ! assert_nothing_held
	losetup -d "$(host_loops | cut -d ' ' -f 1)"
	assert_nothing_held
	host_stop
}

@test "an enumeration of too little fails" {
	load ../lib/enumerate
	say_tried 10 moments 10
	run ! say_tried 9 moments 10
	run ! say_tried 0 moments 1
}

@test "a sentence is one line of text with a full stop" {
	local long
	load ../lib/enumerate
	printf -v long '%02000d' 0
	assert_sentence 'This is one.'
	run ! assert_sentence ''
	run ! assert_sentence 'No full stop'
	run ! assert_sentence $'Two\nlines.'
	run ! assert_sentence $'An escape \e[31m.'
	run ! assert_sentence "Too long $long."
}
