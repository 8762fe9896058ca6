# SPDX-License-Identifier: LGPL-2.1-only
# A test that cannot fail is a defect: the suite does fail where it should.

load ../lib/host

setup() {
	seed=1 sample=5 limit='' under=()
}

# suite <bats code>...
# Runs tests/run, perhaps with other variables or under a command, on a suite of files with this
# code, as if it were this one.
suite() {
	local code number=0
	mkdir -p "$BATS_TEST_TMPDIR/suite"
	for code; do
		number=$((number + 1))
		printf '%s\n' "$code" >"$BATS_TEST_TMPDIR/suite/$number.bats"
	done
	# bats tells the tests that it runs about itself by variables, which
	# another bats must not see.
	env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" TMPDIR="$BATS_TEST_TMPDIR" TESTS_DIR="$BATS_TEST_TMPDIR/suite" \
		PACE_MS="${PACE_MS-}" TEST_LIMIT="$limit" SEED="$seed" SAMPLE="$sample" "${under[@]}" "$root/tests/run" 3>&-
}

@test "a suite passes if all of its tests pass" {
	run suite '@test "a" { true; }' '@test "b" { true; }'
	[[ "$status" -eq 0 ]]
	[[ "${lines[-1]}" == '2 passed, 0 failed, 0 skipped' ]]
}

@test "a failed test fails the suite and is shown" {
	run suite '@test "a" { true; }' '@test "b" { false; }'
	[[ "$status" -eq 1 ]]
	[[ $output == *'not ok '*' b'* ]]
	[[ "${lines[-1]}" == '1 passed, 1 failed, 0 skipped' ]]
}

@test "an unexpected skip fails the suite" {
	run suite '@test "a" { true; }' '@test "b" { skip "no loop devices here"; }'
	[[ "$status" -eq 1 ]]
	[[ $output == *'tests/expected-skips does not expect'* ]]
}

@test "a suite without tests fails" {
	run suite '# nothing'
	[[ "$status" -eq 1 ]]
}

@test "a test file with a syntax error fails the suite" {
	run suite '@test "a" { true; }' '@test "b" { if; }'
	[[ "$status" -eq 1 ]]
}

@test "a failed setup or teardown fails the suite" {
	run suite $'setup() { false; }\n@test "a" { true; }'
	[[ "$status" -eq 1 ]]
	run suite $'teardown() { false; }\n@test "a" { true; }'
	[[ "$status" -eq 1 ]]
}

@test "a test that hangs fails after its teardown" {
	limit=$((5 * TEST_PACE))
	run suite "teardown() { echo \"\$BATS_TEST_DESCRIPTION\" >>$BATS_TEST_TMPDIR/torn; }"$'\n@test "a" { while :; do sleep 1000; done; }\n@test "b" { true; }'
	[[ "$status" -eq 1 ]]
	[[ "${lines[-1]}" == '1 passed, 1 failed, 0 skipped' && $output == *'it hangs'* ]]
	[[ "$(<"$BATS_TEST_TMPDIR/torn")" == $'a\nb' ]]
}

@test "a test whose cases end goes on, however many there are" {
	limit=$((5 * TEST_PACE)) sample=1
	run suite "$(enumeration "sleep $((3 * TEST_PACE / 10)).$((3 * TEST_PACE % 10))")"
	[[ "$status" -eq 0 && $output != *trying* ]]
}

@test "a test sees nothing of the caller's environment, umask, ignored signals and standard input" {
	mkdir -p "$BATS_TEST_TMPDIR/elsewhere/tests" "$BATS_TEST_TMPDIR/a b"
	# shellcheck disable=SC2016 # the inner shell expands
	under=(CDPATH="$BATS_TEST_TMPDIR/elsewhere" BASH_ENV=/dev/null ENV=/dev/null LC_ALL=de_DE.UTF-8 LANG=tr_TR.UTF-8
		TMPDIR="$BATS_TEST_TMPDIR/a b" POSIXLY_CORRECT=1 GREP_OPTIONS=-v MAKEFLAGS=-j2 PREFIX=/nowhere OMP_NUM_THREADS=1
		XENBUS_PATH=backend/vif/7/0 script=none vif=none SHELL=/bin/false TERM=unknown TEST_ENVIRONMENT=1
		bash -c 'trap "" HUP INT TERM; umask 077; exec "$@" <&-' -)
	# shellcheck disable=SC2016 # the test expands
	run suite '@test "a" { env; umask; grep SigIgn /proc/self/status; readlink /proc/self/fd/0; false; }'
	[[ $output == *$'\n# SHELL=/bin/bash\n'* && $output == *$'\n# LC_ALL=C\n'* ]]
	# Signals 32 and 33 are the C library's own, and no program's to reset; make ignores them.
	[[ $output =~ $'\n# 0022\n# SigIgn:\t0000000'[01]$'80000000\n# /dev/null\n' || $output == *$'\n# 0022\n# SigIgn:\t0000000000000000\n# /dev/null\n'* ]]
	run ! grep -E '^# (CDPATH|BASH_ENV|ENV|LANG|TMPDIR|POSIXLY_CORRECT|GREP_OPTIONS|MAKEFLAGS|PREFIX|OMP_NUM_THREADS|XENBUS_PATH|script|vif|TERM)=' <<<"$output"
}

@test "each teardown hands on the status of all that can fail in it, as bats judges the last command alone" {
	# shellcheck disable=SC2016 # awk expands
	run -0 awk '
		/^(teardown|[a-z]+_teardown|[a-z]+_stop)\(\)/ { inside = 1 }
		pending && !/^}/ { print pending }
		{ pending = "" }
		inside && /^\t((host|disks|nbd|iscsi|wire|store)_stop|helper_teardown|until_true [^|]*|assert_[^|]*)$/ { pending = FILENAME ":" FNR ":" $0 }
		/^}/ { inside = 0 }' "$root"/tests/{bats,conformance}/*.bats "$root"/tests/lib/*.bash
	[[ ! $output ]]
}

@test "helper_teardown fails if a mount stays" {
	under=(unshare --mount)
	run suite "setup() { . $root/tests/lib/helper.bash; helper_setup; generous=1; }"$'\nteardown() { helper_teardown; }\n@test "a" { mkdir fs; mount -t tmpfs tmpfs fs; exec 8<fs; }'
	[[ "$status" -eq 1 && $output == *'left behind:'*'/fs'* ]]
}

@test "no wait is for a substitution, which is expanded only once" {
	run -1 grep -nE 'until_true [^&|]*[^\&|]\$\([^(]' "$root"/tests/{bats,conformance}/*.bats "$root"/tests/lib/*.bash
}

# enumeration [shell code]
# Prints the code of a test of 23 cases, which leaves the numbers of those that
# are tried in a file; the code is run for each of them, as $i.
enumeration() {
	# shellcheck disable=SC2016 # the test expands
	printf '%s\n' "load $root/tests/lib/sample" '@test "a" {' n=0 'for i in {1..23}; do sampled || continue; n=$((n + 1))' \
		"echo \$i >>$BATS_TEST_TMPDIR/tried" "${1-}" 'done; say_tried "$n" cases 23; }'
}

@test "runs with consecutive seeds try every case once" {
	for seed in 7 8 9 10 11; do
		run suite "$(enumeration)"
		[[ $status == 0 && $output == *"SEED=$seed"* && $output == *'of    23 cases'* ]]
	done
	[[ $(sort -n "$BATS_TEST_TMPDIR/tried") == "$(printf '%s\n' {1..23})" ]]
	tail -n 4 "$BATS_TEST_TMPDIR/tried" >"$BATS_TEST_TMPDIR/last"
	suite "$(enumeration)"
	tail -n 4 "$BATS_TEST_TMPDIR/tried" | diff "$BATS_TEST_TMPDIR/last" -
}

@test "a failing case is found by one full run or within five sampled runs" {
	local failed=0
	# shellcheck disable=SC2016 # the test expands
	code=$(enumeration '((i != 17))')
	sample=1 run suite "$code"
	((status == 1))
	for seed in 20 21 22 23 24; do
		run suite "$code"
		((status == 0)) || failed=$((failed + 1))
	done
	((failed == 1))
}

@test "an enumeration with too few cases fails, sampled or not" {
	for sample in 1 5; do
		run suite "$(enumeration | sed 's/1..23/1..22/')"
		[[ $status == 1 && $output == *'only 22 cases, and not 23'* ]]
	done
}

@test "a seed that is not a number is refused with one sentence" {
	seed=x
	run suite '@test "a" { true; }'
	[[ $status == 2 && $output == 'SAMPLE and SEED are whole numbers, SAMPLE at least 1.' ]]
}

@test "host_stop fails if the test left a loop device" {
	host_start
	image left.img
	losetup --find "$image"
	HOTPLUG_SCRIPTS='' run host_stop
	[[ "$status" -eq 1 ]]
	[[ $output == *"/dev/loop"*"left.img"* ]]
	until_true no_loops # it goes when whoever looks at it has closed it
	host_pid=''
}

@test "assert_residue_free fails on each of a journal, a port and a loop device" {
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

@test "assert_nothing_held fails on each of a journal, a port, a loop device and a lost name" {
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

@test "say_tried fails if fewer cases than the minimum were tried" {
	TEST_SAMPLE=1
	sample_of 10
	say_tried 10 moments 10 3>/dev/null
	run ! say_tried 9 moments 10 3>/dev/null
	run ! say_tried 0 moments 1 3>/dev/null
}

@test "say_tried fails if a sampled run tried no case, unless the minimum is 0" {
	TEST_SAMPLE=5
	sample_of 10
	sample_cases=10
	say_tried 2 moments 10 3>/dev/null
	run ! say_tried 0 moments 10 3>/dev/null
	[[ $output == 'of 10 moments, none was tried' ]]
	say_tried 0 'refused values' 0 3>/dev/null
}

# cases_tried <number of cases>
# Prints how many of them are tried.
cases_tried() {
	local i tried=0
	sample_of "$1"
	for ((i = 0; i < $1; i++)); do
		! sampled || tried=$((tried + 1))
	done
	echo "$tried"
}

@test "of an enumeration that is smaller than the sample's step, each run tries one case" {
	local TEST_SAMPLE cases
	for TEST_SAMPLE in 5 80; do
		for cases in 1 3 5; do
			for sample_first in 0 1 2 3 4 5 999999; do
				[[ "$(cases_tried "$cases")" == 1 ]]
			done
		done
	done
}

@test "a case that could not be tried is replaced by the next one" {
	local TEST_SAMPLE=5
	sample_first=0
	sample_of 10
	sampled
	sample_next
	sampled
	! sampled || return
	[[ "$(cases_tried 10)" == 2 ]]
}

@test "assert_sentence accepts only one line of text with a full stop" {
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
