#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug run --held, and image: a program gets the file that is claimed, and no name.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	helper_setup
	image disk.img
	image other.img
	loop=$(losetup -f --show disk.img)
}

teardown() {
	helper_teardown
}

# descriptors
# What a command with these options of run has open from 3 on: number, access, path.
descriptors() {
	# shellcheck disable=SC2016 # for perl
	call run "$@" -- perl -MFcntl -e 'for (3 .. 300) { open my $f, "<&=", $_ or next;
		print "$_ ", (fcntl($f, F_GETFL, 0) & O_ACCMODE) ? "rw" : "ro", " ", readlink("/proc/self/fd/$_"), "\n" }'
}

@test "a command gets the files that loop devices hold as its descriptors from 3 on" {
	local second
	second=$(losetup -f --show --read-only other.img)
	descriptors --held "$loop=$PWD/disk.img" --held "$second=$PWD/other.img"
	((status == 0))
	[[ $(<out) == "3 rw $PWD/disk.img"$'\n'"4 ro $PWD/other.img" ]]
	descriptors
	[[ ! $(<out) ]]
}

@test "a command gets up to 32 files" {
	local i held=()
	for ((i = 0; i < 32; i++)); do
		held+=(--held "$loop=$PWD/disk.img")
	done
	descriptors "${held[@]}"
	[[ $(wc -l <out) == 32 && $(tail -n 1 out) == "34 rw $PWD/disk.img" ]]
	call run "${held[@]}" -- /nowhere
	ended 127 "'/nowhere' does not exist;*"
	call run "${held[@]}" --held "$loop=$PWD/disk.img" -- true
	ended 2 '*at most 32 options --held*'
}

@test "another file under the name, or a loop device without it, starts nothing" {
	local replaced="The image '$PWD/disk.img' was replaced by another file while it was being attached; try again."
	mv disk.img renamed.img
	cp renamed.img disk.img
	call run --held "$loop=$PWD/disk.img" -- touch started
	ended 1 "$replaced"
	call image --format qcow2 --held "$loop=$PWD/disk.img" "$PWD/disk.img"
	ended 1 "$replaced"
	ln -sf renamed.img disk.img
	descriptors --held "$loop=$PWD/disk.img"
	[[ $(<out) == "3 rw $PWD/renamed.img" ]]
	rm renamed.img
	call run --held "$loop=$PWD/disk.img" -- touch started
	ended 1 "Cannot open the image '$PWD/disk.img' again (No such file or directory); look at its path with 'namei -l'."
	losetup -d "$loop"
	call run --held "$loop=$PWD/other.img" -- touch started
	ended 1 "Cannot open the image '$PWD/other.img' again *"
	call run --held "/dev/null=$PWD/other.img" -- touch started
	ended 1 "Cannot open the image '$PWD/other.img' again *"
	[[ ! -e started ]]
}

@test "an option --held that names no device and file is a usage error" {
	local text
	for text in '' = loop "$loop" "$loop=" "$loop=disk.img" "loop0=$PWD/disk.img"; do
		call run --held "$text" -- true
		((status == 2))
		call image --format qcow2 --held "$text" "$PWD/disk.img"
		((status == 2))
	done
	call image "$PWD/disk.img"
	((status == 2))
	call image --format raw "$PWD/disk.img"
	((status == 2))
	call image --format qcow2 disk.img
	((status == 2))
}
