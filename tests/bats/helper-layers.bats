#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Which disks are the same bytes, on stacks of block devices that this machine's kernel need not
# have: the helper's own code, on devices that a test describes (tests/unit/layers.c).

setup() {
	layers=${BATS_TEST_DIRNAME}/../../build/unit/layers
	cd "$BATS_TEST_TMPDIR" || return
}

# stack <line>...
# The devices there are. sda is 8:0, dm-0 253:0, md0 9:0.
stack() {
	printf '%s\n' "$@" >stack
}

# together <one> <other> [first] [second]
# They share bytes; who writes the first, or second, one writes such bytes.
together() {
	judge "$1" "$2" "shared ${*:3}"
	judge "$2" "$1" "shared $(swapped "${@:3}")"
}
swapped() {
	printf '%s\n' "$@" | sed 's/first/FIRST/; s/second/first/; s/FIRST/second/' | sort | xargs
}

# apart <one> <other>
apart() {
	judge "$1" "$2" apart
	judge "$2" "$1" apart
}

# judge <one> <other> <verdict>
judge() {
	local verdict
	verdict=$("$layers" stack overlap "$1" "$2") || return
	[[ $verdict == "${3% }" ]] || {
		echo "$1 and $2 are $verdict, not $3"
		return 1
	}
}

# relatives <device> <line>...
# These are its relatives, in any order.
relatives() {
	local found
	found=$("$layers" stack relatives "$1" | sort)
	[[ $found == "$(printf '%s\n' "${@:2}" | sort)" ]] || {
		echo "the relatives of $1 are:"
		echo "$found"
		return 1
	}
}

both=(first second)

@test "each device overlaps itself" {
	stack 'partition 8:1 8:0 2048 4096' 'array 9:0 8:1 8:16' 'dm 253:0 0 100 linear 9:0 0' \
		'dm 253:1 0 100 zero' 'dm 253:2 0 100 error' 'dm 253:3 0 100 unheard-of 8:32' \
		'dm 253:4 0 100 linear nonsense' 'loop 7:0 file 1:2'
	local device
	for device in 8:0 8:1 9:0 253:0 253:1 253:2 253:3 253:4 7:0 7:1; do
		together "$device" "$device" "${both[@]}"
	done
	apart 253:1 253:2
}

@test "two LVs of one PV do not overlap, but each overlaps the PV" {
	stack 'partition 8:1 8:0 2048 100000' 'partition 8:2 8:0 102048 100' \
		'dm 253:0 0 8192 linear 8:1 2048' 'dm 253:1 0 8192 linear 8:1 10240'
	apart 253:0 253:1
	together 253:0 8:1 "${both[@]}"
	together 253:1 8:0 "${both[@]}"
	apart 253:0 8:2
	relatives 253:0 253:0 8:1 8:0
	relatives 8:0 8:0 8:1 8:2 '253:0 holder' '253:1 holder'
	relatives 8:1 8:1 8:0 '253:0 holder' '253:1 holder'
}

@test "LVs of several segments overlap exactly if their segments do" {
	stack 'dm 253:0 0 8 linear 8:0 100' 'dm 253:0 8 8 linear 8:16 0' 'dm 253:0 16 8 linear 8:0 300' \
		'dm 253:1 0 192 linear 8:0 108' 'dm 253:2 0 1 linear 8:0 307' 'dm 253:3 0 1 linear 8:0 308' \
		'dm 253:4 0 1 linear 8:16 8'
	apart 253:0 253:1
	together 253:0 253:2 "${both[@]}"
	apart 253:0 253:3
	apart 253:0 253:4
}

@test "partitions of a device-mapper device (kpartx) are ranges of the device below" {
	stack 'dm 253:0 0 10 linear 8:0 100' 'dm 253:0 10 10 linear 8:16 0' \
		'dm 253:1 0 10 linear 253:0 0' 'dm 253:2 0 10 linear 253:0 10' 'dm 253:3 0 2 linear 253:0 9'
	apart 253:1 253:2
	together 253:3 253:1 "${both[@]}"
	together 253:3 253:2 "${both[@]}"
	apart 253:1 8:16
	together 253:2 8:16 "${both[@]}"
}

@test "LVs on an encrypted PV do not overlap each other, but overlap the disk" {
	stack 'dm 253:0 0 90000 crypt aes-xts-plain64 00112233445566778899 0 8:1 32768' \
		'partition 8:1 8:0 2048 200000' 'dm 253:1 0 100 linear 253:0 2048' 'dm 253:2 0 100 linear 253:0 2148' \
		'dm 253:3 0 90000 crypt aes-xts-plain64 :32:logon:key 0 8:1 122768 1 allow_discards'
	apart 253:1 253:2
	apart 253:0 253:3
	together 253:1 8:0 "${both[@]}"
	together 253:3 8:1 "${both[@]}"
}

@test "LVs on multipath do not overlap each other, but overlap each path" {
	stack 'dm 253:0 0 90000 multipath 0 0 2 1 service-time 0 1 2 8:0 1 1 service-time 0 1 2 8:16 1 1' \
		'dm 253:1 0 100 linear 253:0 2048' 'dm 253:2 0 100 linear 253:0 2148' 'partition 8:1 8:0 2148 100'
	apart 253:1 253:2
	apart 253:1 8:1
	together 253:2 8:1 "${both[@]}"
	apart 8:0 8:16
	together 253:1 8:0 "${both[@]}"
	together 253:2 8:16 "${both[@]}"
	relatives 8:0 8:0 8:1 '253:0 holder' '253:1 holder' '253:2 holder'
	relatives 253:1 253:1 253:0 8:0 8:16
}

@test "disjoint ranges of a striped device do not overlap" {
	stack 'dm 253:0 0 96 striped 3 8 8:0 100 8:16 200 8:32 300' 'dm 253:1 0 12 linear 253:0 0' \
		'dm 253:2 0 84 linear 253:0 12' 'dm 253:3 0 1 linear 8:16 203' 'dm 253:4 0 1 linear 8:16 204' \
		'dm 253:5 0 1 linear 8:0 131' 'dm 253:6 0 1 linear 8:0 132' 'dm 253:7 0 1 linear 8:32 300'
	apart 253:1 253:2
	together 253:3 253:1 "${both[@]}"
	apart 253:3 253:2
	together 253:4 253:2 "${both[@]}"
	apart 253:4 253:1
	together 253:5 253:0 "${both[@]}"
	apart 253:6 253:0
	apart 253:7 253:1
	together 253:7 253:2 "${both[@]}"
}

@test "LVs on an array do not overlap each other, but overlap each member" {
	stack 'array 9:0 8:1 8:17' 'partition 8:1 8:0 2048 1000' 'partition 8:17 8:16 2048 1000' \
		'partition 8:2 8:0 3048 1000' 'dm 253:0 0 100 linear 9:0 2048' 'dm 253:1 0 100 linear 9:0 2148' \
		'partition 259:0 9:0 2000 49'
	apart 253:0 253:1
	together 253:0 259:0 "${both[@]}"
	apart 253:1 259:0
	together 253:0 8:1 "${both[@]}"
	together 253:1 8:16 "${both[@]}"
	together 9:0 8:17 "${both[@]}"
	apart 9:0 8:2
	relatives 253:0 253:0 9:0 8:1 8:0 8:17 8:16 259:0
	relatives 8:16 8:16 8:17 '9:0 holder' '253:0 holder' '253:1 holder' 259:0
}

@test "thin volumes of one pool do not overlap each other, but overlap the pool's own devices" {
	stack 'dm 253:0 0 100 linear 8:0 0' 'dm 253:1 0 900 linear 8:0 100' \
		'dm 253:2 0 900 thin-pool 253:0 253:1 128 0 0' 'dm 253:3 0 500 thin 253:2 1' \
		'dm 253:4 0 500 thin 253:2 2' 'dm 253:5 0 900 linear 253:2 0' 'dm 253:6 0 500 thin 253:2 1' \
		'dm 253:7 0 9 linear 253:3 0' 'dm 253:8 0 9 linear 253:3 9' 'dm 253:9 0 50 linear 8:0 1000'
	apart 253:3 253:4
	together 253:3 253:6 "${both[@]}"
	together 253:3 253:2 "${both[@]}"
	together 253:3 253:5 "${both[@]}"
	together 253:4 253:1 "${both[@]}"
	together 253:4 8:0 "${both[@]}"
	apart 253:7 253:8
	together 253:7 253:3 "${both[@]}"
	apart 253:3 253:9
	# LVM leaves the pool itself active: it is built on the pool, not on the volume.
	relatives 253:3 253:3 253:2 253:0 8:0 253:1 253:5 253:6 \
		'253:7 holder' '253:8 holder'
	stack 'dm 253:2 0 900 thin-pool 8:16 8:32 128 0 0' 'dm 253:3 0 500 thin 253:2 0 8:0' \
		'dm 253:4 0 500 thin 253:2 1 8:0'
	together 253:3 253:4
	together 253:3 8:0 second
}

@test "a snapshot and its origin can both be written by different guests" {
	stack 'dm 253:0 0 100 linear 8:0 0' 'dm 253:1 0 50 linear 8:0 100' 'dm 253:2 0 50 linear 8:0 150' \
		'dm 253:3 0 100 snapshot-origin 253:0' 'dm 253:4 0 100 snapshot 253:0 253:1 P 8' \
		'dm 253:5 0 100 snapshot 253:0 253:2 P 8'
	apart 253:3 253:4
	together 253:4 253:5
	together 253:3 253:3 "${both[@]}"
	together 253:4 253:4 "${both[@]}"
	# But not with who writes past the origin.
	together 253:4 253:0 second
	together 253:3 253:0 "${both[@]}"
	together 253:4 8:0 "${both[@]}"
	together 253:4 253:1 "${both[@]}"
	relatives 253:3 253:3 253:0 8:0
}

@test "overlays on one base only read it" {
	stack 'loop 7:0 file 1:100' 'loop 7:1 file 1:100' 'loop 7:2 file 1:102' 'loop 7:3 file 1:103' \
		'dm 253:0 0 100 snapshot 7:0 7:2 P 8' 'dm 253:1 0 100 snapshot 7:1 7:3 P 8'
	together 253:0 253:1
	together 253:0 7:1 second
	together 253:0 7:2 "${both[@]}"
	stack 'dm 253:0 0 100 snapshot 8:0 7:2 P 8' 'dm 253:1 0 100 snapshot 8:0 7:3 P 8' \
		'loop 7:2 file 1:102' 'loop 7:3 file 1:103'
	together 253:0 253:1
	together 253:0 8:0 second
	relatives 8:0 8:0 '253:0 holder' '253:1 holder'
}

@test "an unknown target overlaps everything below it" {
	stack 'dm 253:0 0 100 cache 8:0 8:1 8:16 512 1 writethrough default 0' \
		'dm 253:1 0 50 linear 253:0 0' 'dm 253:2 0 50 linear 253:0 50' \
		'dm 253:3 0 10 linear 8:16 9999' 'partition 8:1 8:0 5000 10' \
		'dm 253:4 0 10 linear 8:0' 'dm 253:5 0 10 crypt aes 0 8:16 x' 'dm 253:6 0 10 striped 2 8 8:0 0'
	apart 253:1 253:2
	together 253:1 253:3 "${both[@]}"
	together 253:2 8:1 "${both[@]}"
	together 253:4 8:1 "${both[@]}"
	together 253:5 253:3 "${both[@]}"
	together 253:6 8:1 "${both[@]}"
}

@test "mappings without a device below overlap nothing" {
	stack 'dm 253:0 0 10 linear 8:0 0' 'dm 253:0 10 10 error' 'dm 253:0 20 10 linear 8:0 20' \
		'dm 253:1 0 10 linear 8:0 10' 'dm 253:2 0 10 linear 253:0 10'
	apart 253:0 253:1
	together 253:0 253:2 "${both[@]}"
}

@test "loop devices over device-mapper, and device-mapper over loop devices, are resolved" {
	stack 'loop 7:0 file 1:5' 'dm 253:0 0 10 linear 7:0 0' 'dm 253:1 0 10 linear 7:0 10' \
		'loop 7:1 device 253:0' 'loop 7:2 device 253:1'
	apart 7:1 7:2
	together 7:1 7:0 "${both[@]}"
	relatives 7:0 7:0 '253:0 holder' '253:1 holder' 7:1 7:2
	relatives 253:0 253:0 7:0 7:1
}

@test "a stack without a bottom is an error" {
	stack 'dm 253:0 0 10 linear 253:0 0'
	run "$layers" stack overlap 253:0 8:0
	((status == 1))
	[[ $output == *'Too many levels'* ]]
}

# beneath <file> <device>
# They share bytes only on the devices of the file's file system, so that the host may use these.
beneath() {
	judge "$1" "$2" 'shared first second beneath'
	judge "$2" "$1" 'shared first second'
}

@test "a file overlaps the devices of its file system, but none of its other files" {
	stack 'partition 8:1 8:0 2048 4096' 'partition 8:2 8:0 6144 4096' 'loop 7:0 file 2049:10' \
		'loop 7:1 file 2049:11'
	together file:2049:10 file:2049:10 "${both[@]}"
	apart file:2049:10 file:2049:11
	apart 7:0 7:1
	beneath file:2049:10 8:1
	beneath file:2049:10 8:0
	beneath 7:0 8:1
	apart file:2049:10 8:2
	relatives file:2049:10 7:0 '8:1 beneath' '8:0 beneath'
	relatives 8:1 8:1 8:0 7:0 7:1
	relatives 8:2 8:2 8:0
}

@test "a file on a file system in an image overlaps the image, its loop devices and their disk" {
	stack 'loop 7:0 file 2049:10' 'loop 7:1 file 1792:20' 'loop 7:2 file 1792:21' 'loop 7:3 file 2049:11'
	beneath file:1792:20 file:2049:10
	beneath 7:1 7:0
	beneath 7:1 8:1
	apart 7:1 7:2
	apart 7:1 7:3
	relatives file:1792:20 7:1 '7:0 beneath' '8:1 beneath'
	relatives file:2049:10 7:0 7:1 7:2 '8:1 beneath'
	relatives 7:2 7:2 '7:0 beneath' '8:1 beneath'
}

@test "one image that is mounted through two loop devices has the same files in both" {
	stack 'loop 7:0 file 2049:10' 'loop 7:1 file 2049:10' 'loop 7:2 file 1792:20' 'loop 7:3 file 1793:20'
	judge 7:2 7:3 'shared first second beneath'
	judge 7:3 7:2 'shared first second beneath'
	relatives 7:2 7:2 '7:0 beneath' '7:1 beneath' '7:3 beneath' '8:1 beneath'
}

@test "a file overlaps the LV, the array and the members below its file system, and no neighbour" {
	stack 'array 9:0 8:0 8:16' 'dm 253:0 0 100 linear 9:0 2048' 'dm 253:1 0 100 linear 9:0 2148' \
		'loop 7:0 file 64768:5' 'loop 7:1 file 64769:5'
	beneath 7:0 253:0
	beneath 7:0 9:0
	beneath 7:0 8:16
	apart 7:0 253:1
	apart 7:0 7:1
	relatives 8:16 8:16 '9:0 holder' '253:0 holder' '253:1 holder' 7:0 7:1
}

@test "a file on a file system of several devices overlaps each of them" {
	stack 'filesystem 0:40 8:0 8:16' 'filesystem 0:41 8:0 8:16' 'loop 7:0 file 40:257' 'loop 7:1 file 41:257'
	beneath 7:0 8:0
	beneath 7:1 8:16
	apart 7:0 7:1
	apart 7:0 8:32
	relatives 8:16 8:16 7:0 7:1
}

@test "partitions of one image are apart, also on the devices below it" {
	stack 'loop 7:0 file 2049:10' 'partition 259:0 7:0 8 8' 'partition 259:1 7:0 16 8'
	apart 259:0 259:1
	beneath 259:0 8:1
}

@test "file systems in images, one in another, are resolved to the bottom, up to a limit" {
	local i lines=('loop 7:0 file 2048:9')
	for ((i = 1; i < 20; i++)); do
		lines+=("loop 7:$i file $((1792 + i - 1)):9")
	done
	stack "${lines[@]}"
	beneath 7:10 8:0
	run "$layers" stack overlap 7:19 8:0
	((status == 1))
	[[ $output == *'Too many levels'* ]]
}
