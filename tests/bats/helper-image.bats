#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug image: headers of vmdk whose numbers lead elsewhere.

load ../lib/helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# sparse <bytes of the file> <sector of the descriptor> <sectors of a grain> [text] [its offset]
# Makes a sparse vmdk of 2048 sectors, with the text in it.
sparse() {
	perl -e 'my ($size, $sector, $grain, $text, $at) = @ARGV;
		my $image = pack("a4 L< L< Q< Q< Q<", "KDMV", 1, 3, 2048, $grain, $sector);
		$image .= "\0" x ($size - length $image) if $size > length $image;
		substr($image, $at, length $text) = $text if defined $text;
		print substr $image, 0, $size' "$@" >disk.vmdk
}

# judged <pattern, or empty>
# The image is refused with that, or accepted.
judged() {
	call image --format vmdk "$PWD/disk.vmdk"
	if [[ $1 ]]; then ended 1 "The image '$PWD/disk.vmdk' $1"; else done_with; fi
}

parent='parentFileNameHint="/etc/shadow"'

@test "a vmdk with its descriptor in the file, and without a parent, is accepted" {
	sparse 4096 1 128
	judged ''
	sparse 200000 200 128 'parentCID=ffffffff' 102400
	judged ''
}

@test "a vmdk that names a parent is refused, wherever its descriptor is" {
	local grain
	for grain in 128 0 4294967296; do
		sparse 4096 1 "$grain" "$parent" 600
		judged 'has a parent; *'
		sparse 200000 200 "$grain" "$parent" 102500
		judged 'has a parent; *'
		# QEMU looks there.
		sparse 200000 200 "$grain" "$parent" 512
		judged 'has a parent; *'
		sparse 65800 127 "$grain" "$parent" 65600
		judged 'has a parent; *'
	done
}

@test "a vmdk that ends before its descriptor is truncated" {
	sparse 76 1 128
	judged 'is truncated; *'
	sparse 512 0 128
	judged 'is truncated; *'
	sparse 4096 8 128
	judged 'is truncated; *'
	sparse 4097 8 128
	judged ''
}

@test "a vmdk whose descriptor is far away is refused" {
	local sector
	for sector in 4096 2097151 2097152 36028797018963968 18446744073709551615; do
		sparse 65536 "$sector" 128
		judged 'has its descriptor in an unusual place; *'
	done
}
