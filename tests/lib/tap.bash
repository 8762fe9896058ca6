# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Images and tapdisks for one test, of stand-ins/tap-ctl. Sourced by
# bats files, after host.bash.

# tap_start
tap_start() {
	mkdir -p "$BATS_TEST_TMPDIR/tap-bin"
	tap_program
	PATH=$BATS_TEST_TMPDIR/tap-bin:$PATH
	tap_control=$BATS_TEST_TMPDIR/run/blktap-control
}

# tap_program
# Makes tap-ctl, with what its variables are now.
tap_program() {
	with_settings TAP_KERNEL <"$root/tests/stand-ins/tap-ctl" | program "$BATS_TEST_TMPDIR/tap-bin/tap-ctl"
}

# vhd_image <name>
# As image, with the mark of a VHD in front.
vhd_image() {
	image "$1"
	printf conectix | dd of="$image" conv=notrunc status=none
}

# vbd3 <domid> <devid> <target> [node value]...
# As vbd, for the backend that tapback is.
vbd3() {
	local path=backend/vbd3/$1/$2 pairs=() i
	for ((i = 4; i < $#; i += 2)); do
		pairs+=("$path/${!i}" "${@:i+1:1}")
	done
	store_set "$path/frontend" "/local/domain/$1/device/vbd/$2" "$path/frontend-id" "$1" \
		"$path/online" 1 "$path/state" 2 "$path/script" "$scripts/block-tap" "$path/params" "$3" \
		"$path/mode" w "$path/type" vbd3 "$path/dev" xvda "$path/device-type" disk "${pairs[@]}"
}

# tapdisks
# Each in a line: its process id, and what it serves, as tap-ctl says.
tapdisks() {
	host tap-ctl list
}

# tap_residue
# The tapdisks that run, their sockets, and the numbers that are not free.
tap_residue() {
	local path
	tapdisks
	for path in "$tap_control"/{ctl,nbd}* "$tap_control"/tapdisk/*; do
		[[ ! -e $path ]] || echo "$path"
	done
}

# assert_no_tap
assert_no_tap() {
	local left
	left=$(tap_residue)
	[[ ! $left ]] || {
		printf 'left behind:\n%s\n' "$left"
		return 1
	}
}

# tap_stop
# For teardown, after host_stop: what a test that failed has left.
tap_stop() {
	local directory
	for directory in "$tap_control"/of-*; do
		kill "${directory##*-}" 2>/dev/null || :
	done
}
