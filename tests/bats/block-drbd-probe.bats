# SPDX-License-Identifier: LGPL-2.1-only
# block-drbd-probe: the exit statuses that its head documents.

load ../lib/host
load ../lib/enumerate
load ../lib/drbd

setup() {
	host_start
	drbd_start 8.4
	drbd_resource r0
	drbd_resource r1
	device=/dev/drbd${phy#/dev/loop}
	: >"$DRBD_STATE/r1/two-primaries"
	drbd_is r1/protocol D
	drbdadm primary r1
}

teardown() {
	local status=0
	host_stop || status=1
	drbd_stop
	return "$status"
}

# probe <expected status> [device]
probe() {
	run host "$scripts/block-drbd-probe" "${@:2}"
	printf 'status %s: %s\n' "$status" "$output"
	((status == $1))
}

# program_is <name> <shell code>
# A drbdadm or drbdsetup that does first what the code says.
program_is() {
	local real
	real=$(type -P "$1")
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/$1" <<-END
		#!/bin/bash
		$2
		exec $real "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "0: a device with protocol D that is connected, Primary here and Secondary there" {
	probe 0 "$device"
	[[ ! "$output" ]]
}

@test "0: a device of DRBD 8.3, whose drbdsetup takes the device before the command" {
	drbd_version 8.3
	probe 0 "$device"
}

@test "1: a device of another kind, an invalid name, and no name" {
	local name
	for name in "$phy" /dev/null /nowhere '' ' ' -a "${device}0" "${device%?}" "$device"$'\n' '*' "\$(touch $BATS_TEST_TMPDIR/pwned)"; do
		probe 1 "$name"
	done
	probe 1
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

@test "2: DRBD's programs fail, hang or are missing, and a message says so" {
	# shellcheck disable=SC2016 # the stand-in expands
	program_is drbdadm '[[ $1 != cstate ]] || exit 20'
	probe 2 "$device"
	[[ $output == *"'drbdadm cstate r1' failed"*. ]]
	program_is drbdadm 'exec sleep 100'
	probe 2 "$device"
	[[ $output == *. ]]
	PATH=/usr/sbin:/usr/bin:/sbin:/bin probe 2 "$device"
	[[ $output == *"'drbdadm' is not installed"*. ]]
}

@test "3: a device with another protocol" {
	probe 3 "/dev/drbd$(cut -d ' ' -f 2 "$DRBD_STATE/r0/volumes")"
	drbd_is r1/protocol C
	probe 3 "$device"
}

@test "4: a device that is not up, not connected, not Primary, or whose peer is Primary" {
	: >"$DRBD_STATE/r1/apart"
	probe 4 "$device"
	rm "$DRBD_STATE/r1/apart"
	DRBD_HOST=beta drbdadm primary r1
	probe 4 "$device"
	DRBD_HOST=beta drbdadm secondary r1
	probe 0 "$device"
	drbdadm secondary r1
	probe 4 "$device"
	rm "$DRBD_STATE/r1/alpha/up"
	probe 4 "$device"
	: >"$DRBD_STATE/r1/alpha/up"
}
