# SPDX-License-Identifier: LGPL-2.1-only
# How tests/e2e/run ends when something is amiss, with a QEMU that only plays.
# bats file_tags=waits

root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
load ../lib/wait
bats_require_minimum_version 1.5.0

setup() {
	stubs=$BATS_TEST_TMPDIR/stubs
	mkdir "$stubs"
	stub mkfs.ext4 'exit 1'
	stub mmdebstrap 'echo "E: no such mirror" >&2; exit 1'
	export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache E2E_RESULTS=$BATS_TEST_TMPDIR/results
	export PATH=$stubs:$PATH
	have_image
}

# stub <command> <line>...
stub() {
	printf '%s\n' '#!/bin/bash' "${@:2}" >"$stubs/$1"
	chmod +x "$stubs/$1"
}

# qemu <line>...
# What QEMU does, in dom0's share; it is kept in mind by its pid.
qemu() {
	stub qemu-system-x86_64 "cd '$E2E_RESULTS'" "echo \$\$ >'$BATS_TEST_TMPDIR/pid'" "$@"
}

# have_image
# As if it had been made.
have_image() {
	local key
	key=$(cat "$root/tests/e2e/image" "$root"/tests/e2e/image.d/* | sha256sum)
	mkdir -p "$XDG_CACHE_HOME/xen-hotplug/e2e-bookworm-${key:0:12}"
}

# ends <status> <part of what it says> [argument...]
ends() {
	run timeout $((2 * generous)) "$root/tests/e2e/run" "${@:3}"
	echo "$output"
	[[ "$status" -eq "$1" && "$output" == *"$2"* ]]
}

qemu_gone() {
	[[ ! -e /proc/$(<"$BATS_TEST_TMPDIR/pid") ]]
}

@test "a run in which all tests pass prints their number and the time" {
	qemu 'touch up' 'echo up >console.log' 'printf "%s\n" 1..2 "begin 1 one" "ok 1 one in 5ms" "ok 2 two in 5ms" end >tests'
	ends 0 '2 passed, 0 failed, 0 skipped'
	[[ "$output" == *'... 1 one'* && "$output" == *"The logs are in $E2E_RESULTS."* ]]
}

@test "a failed or skipped test fails the run" {
	qemu 'touch up console.log' 'printf "%s\n" 1..2 "ok 1 one in 5ms" "not ok 2 two in 5ms" "#  why" end >tests'
	ends 1 '1 passed, 1 failed, 0 skipped'
	[[ "$output" == *'#  why'* ]]
	qemu 'touch up console.log' 'printf "%s\n" 1..2 "ok 1 one in 5ms" "ok 2 two # skip in 5ms" end >tests'
	ends 1 '1 passed, 0 failed, 1 skipped'
}

@test "a filter that matches no test fails the run" {
	qemu 'touch up console.log' 'printf "%s\n" 1..0 end >tests'
	ends 1 'No test has a title that matches the filter.' nothing
	[[ $(<"$E2E_RESULTS/filter") == nothing ]]
}

@test "a panic of the host ends the run, which prints how far it came" {
	qemu 'touch up' 'printf "%s\n" 1..3 "ok 1 one in 5ms" >tests' 'echo "Kernel panic - not syncing" >console.log'
	ends 1 "Only 1 of 3 tests ran, since dom0 panicked: see $E2E_RESULTS/console.log."
}

@test "a QEMU that does not start is named, with its log" {
	qemu 'exit 1'
	ends 1 "QEMU ended before dom0 was up: see $E2E_RESULTS/qemu.log and $E2E_RESULTS/console.log."
}

@test "a run ends QEMU in time if dom0 does not come up" {
	qemu 'exec sleep 300'
	E2E_BOOT=1 ends 1 "dom0 did not come up within 1 s: see $E2E_RESULTS/console.log."
	until_true qemu_gone
}

@test "a run that takes too long is killed" {
	qemu 'touch up console.log' 'printf "%s\n" 1..2 "ok 1 one in 5ms" >tests' 'exec sleep 300'
	E2E_TIMEOUT=4 ends 1 'Only 1 of 2 tests ran, since its 4 s were over'
	until_true qemu_gone
}

@test "a suite that ended early between two files fails the run" {
	qemu 'touch up console.log' 'printf "%s\n" 1..1 "ok 1 one in 5ms" >tests'
	ends 1 'Only 1 of 1 tests ran, since dom0 ended'
}

# shellcheck disable=SC2016 # the stand-in expands
@test "the tests of all hosts count" {
	qemu 'cd "${E2E_RESULTS-.}"; touch up console.log; printf "%s\n" 1..1 "ok 1 one in 5ms" end >tests'
	E2E_HOSTS=2 run "$root/tests/e2e/all"
	[[ $status == 0 && "$output" == *'1: '*'2: '*$'\n2 passed, 0 failed, 0 skipped'* ]]
	qemu 'cd "${E2E_RESULTS-.}"; touch up console.log; printf "%s\n" 1..1 "$([[ $E2E_RESULTS == */1 ]] && echo not) ok 1 one in 5ms" end | sed "s/^ //" >tests'
	E2E_HOSTS=2 run "$root/tests/e2e/all"
	[[ $status == 1 && "$output" == *$'\n1 passed, 1 failed, 0 skipped'* ]]
}

@test "a run whose suite does not start prints dom0's last lines" {
	qemu 'touch up' 'echo "Xen does not answer in dom0: xl list fails." >main.log'
	ends 1 "The suite did not begin: Xen does not answer in dom0: xl list fails.; see $E2E_RESULTS/main.log"
}

@test "an interrupt ends QEMU" {
	qemu 'exec sleep 300'
	# A job of its own, which takes interrupts as one of a terminal does.
	# shellcheck disable=SC2016 # the inner shell expands
	setsid --fork bash -c 'echo $$ >"$1" && exec env --default-signal=INT "$2"' - \
		"$BATS_TEST_TMPDIR/runner" "$root/tests/e2e/run" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&-
	until_true test -s "$BATS_TEST_TMPDIR/pid"
	runner=$(<"$BATS_TEST_TMPDIR/runner")
	kill -INT "-$runner"
	until_true qemu_gone
	until_true test ! -e "/proc/$runner"
}

@test "without QEMU, the error says what to install" {
	ln -s "$(type -P realpath)" "$(type -P make)" "$stubs"
	PATH=$stubs run /bin/bash "$root/tests/e2e/run"
	echo "$output"
	[[ "$status" -eq 1 && "$output" == 'This machine lacks qemu-system-x86_64: run make deps.' ]]
}

@test "without root, the error asks for root" {
	qemu 'exit 1'
	run setpriv --reuid 65534 --inh-caps +dac_read_search --ambient-caps +dac_read_search "$root/tests/e2e/run"
	[[ "$status" -eq 1 && "$output" == *'run this as root.' ]]
}

@test "if the packages are unavailable, the run ends and leaves no partial image" {
	qemu 'exit 1'
	rm -r "$XDG_CACHE_HOME"
	ends 1 'Debian bookworm cannot be installed: see above.'
	[[ "$output" == *'E: no such mirror'* ]]
	[[ ! $(ls "$XDG_CACHE_HOME/xen-hotplug") ]]
}

@test "a disk too small for the image is named with the space needed" {
	qemu 'exit 1'
	export root
	# shellcheck disable=SC2016 # the inner shell expands
	run unshare --mount bash -c 'rm -r "$XDG_CACHE_HOME" && mkdir "$XDG_CACHE_HOME" &&
		mount -t tmpfs -o size=1m tmpfs "$XDG_CACHE_HOME" && "$root/tests/e2e/run"'
	echo "$output"
	[[ "$status" -eq 1 ]]
	[[ "$output" == *"Making the host's image needs 4 GB in $XDG_CACHE_HOME/xen-hotplug, which has 1:"* ]]
}
