# SPDX-License-Identifier: LGPL-2.1-only
# block-overlay: a disk of a guest's own over a base that many share. The
# kernel's part is a stand-in's here (tests/lib/dmsetup.bash); that what the
# guest writes is kept, or not, is for real Xen to show (tests/e2e/suite/overlay.bats).

load ../lib/host
load ../lib/enumerate
load ../lib/dmsetup

setup() {
	host_start
	dmsetup_start
	domain 1
	domain 2
	image base.img
	base=$image
	cow=$BATS_TEST_TMPDIR/cow
}

teardown() {
	local status=0
	report_moment
	host_stop || status=1
	dmsetup_stop
	return "$status"
}

# overlay <domid> <target>
# The nodes, and the attach.
overlay() {
	! store_has "backend/vbd/$1/51712" || xenstore-rm "backend/vbd/$1/51712"
	vbd "$1" 51712 "$2"
	call block-overlay add vbd "$1" 51712
}

# overlay_refused <target> <part of the sentence>
overlay_refused() {
	run overlay 1 "$1"
	[[ $status == 1 ]]
	assert_refused backend/vbd/1/51712 error "$2" || assert_refused backend/vbd/1/51712 busy "$2"
	assert_released
}

# overlay_remove <domid>
overlay_remove() {
	nodes "backend/vbd/$1/51712" online 0 state 5
	call block-overlay remove vbd "$1" 51712
}

# assert_released
# Neither mappings nor loop devices, nor files but the base and what was kept.
assert_released() {
	[[ ! "$(mappings)" ]]
	assert_residue_free
	[[ ! "$(compgen -G "$BATS_TEST_TMPDIR/*.vbd-*")" ]]
}

@test "a guest gets the mapping" {
	overlay 1 "base=$base,file=$cow"
	[[ "$(mappings)" == xen-hotplug-vbd-1-51712-* ]]
	assert_node backend/vbd/1/51712/physical-device-path "/dev/$(host ls /sys/class/block)"
	assert_node backend/vbd/1/51712/hotplug-status connected
	[[ "$(stat -c '%a %s' "$cow")" == '600 2101248' ]]
	call block-overlay check vbd 1 51712
	overlay_remove 1
	assert_released
	[[ -e $cow ]]
	overlay 1 "base=$base,file=$cow,persist=y"
	overlay_remove 1
	assert_released
}

@test "with persist=n, no file is named and nothing is left" {
	overlay 1 "base=$base,persist=n"
	[[ "$(compgen -G "$base.vbd-1-51712.*")" ]]
	overlay_remove 1
	assert_released
	overlay 1 "base=$base,persist=n,file=$BATS_TEST_TMPDIR/elsewhere"
	[[ "$(compgen -G "$BATS_TEST_TMPDIR/elsewhere.vbd-1-51712.*")" ]]
	overlay_remove 1
	assert_released
}

@test "many guests share a base" {
	overlay 1 "base=$base,persist=n"
	overlay 2 "base=$base,persist=n"
	vbd 1 51728 "$base"
	run block_add 1 51728
	assert_refused backend/vbd/1/51728 busy "by guest 'guest2' (domain 2)"
	overlay_remove 1
	overlay_remove 2
	block_add 1 51728
	run overlay 2 "base=$base,persist=n"
	assert_refused backend/vbd/2/51712 busy "by guest 'guest1' (domain 1)"
	block_remove 1 51728
	assert_released
}

@test "a second guest of one overlay is refused" {
	overlay 1 "base=$base,file=$cow"
	run overlay 2 "base=$base,file=$cow"
	[[ $status == 1 ]]
	assert_refused backend/vbd/2/51712 busy "by guest 'guest1' (domain 1)"
	[[ -e $cow ]]
	overlay_remove 1
	assert_released
}

@test "a file that is no overlay is refused and not written" {
	local before
	image other.img
	before=$(sha1sum "$image" "$base")
	overlay_refused "base=$base,file=$image" 'exists, but is not an overlay'
	overlay_refused "base=$base,file=$base" 'exists, but is not an overlay'
	overlay_refused "base=$base,file=$BATS_TEST_TMPDIR" 'exists, but is not an overlay'
	ln -s /nowhere/at/all "$BATS_TEST_TMPDIR/link"
	overlay_refused "base=$base,file=$BATS_TEST_TMPDIR/link" 'Cannot create the file'
	[[ "$(sha1sum "$image" "$base")" == "$before" ]]
}

@test "a file that takes the name of a new overlay is neither extended nor written" {
	local before
	image other.img
	before=$(sha1sum "$image")
	program "$BATS_TEST_TMPDIR/bin/truncate" <<-END
		#!/bin/bash
		ln -sf $image $cow
		exec $(type -P truncate) "\$@"
	END
	overlay 1 "base=$base,file=$cow"
	[[ "$(host_loops)" != *"$image"* && -L $cow ]]
	overlay_remove 1
	[[ "$(sha1sum "$image")" == "$before" ]]
}

@test "while an overlay's name changes, no other file is claimed or written" {
	local i before count=0 wrong='' flips
	overlay 1 "base=$base,file=$cow"
	overlay_remove 1
	image other.img
	before=$(sha1sum "$image")
	# shellcheck disable=SC2016 # for perl
	perl -e 'my ($d, @files) = @ARGV; for (;;) { for (@files) {
		symlink($_, "$d/new"); rename("$d/new", "$d/link"); select undef, undef, undef, rand 0.01 } }' \
		"$BATS_TEST_TMPDIR" "$cow" "$image" 3>&- &
	flips=$!
	until_true test -e "$BATS_TEST_TMPDIR/link"
	# On a loaded machine the name changes in most of them.
	for ((i = 0; i < 12 || (count == 0 && i < 500); i++)); do
		overlay 1 "base=$base,file=$BATS_TEST_TMPDIR/link" >/dev/null || continue
		count=$((count + 1))
		[[ "$(host_loops)" != *"$image"* ]] || wrong=y
		overlay_remove 1
	done
	kill "$flips"
	wait "$flips" || :
	echo "attached $count times"
	[[ ! $wrong ]] && ((count > 0))
	[[ "$(sha1sum "$image")" == "$before" ]]
}

@test "an overlay is refused after its base was changed" {
	overlay 1 "base=$base,file=$cow"
	overlay_remove 1
	touch -d '1 hour' "$base"
	overlay_refused "base=$base,file=$cow" 'was modified after its overlay'
	touch -d '2 hours' "$cow"
	overlay 1 "base=$base,file=$cow"
}

@test "a missing or wrong parameter is named" {
	overlay_refused "base=$base" 'needs file=PATH to store what the guest writes'
	overlay_refused "file=$cow" 'Parameter base is missing'
	overlay_refused "base=$BATS_TEST_TMPDIR/none,persist=n" 'does not exist'
	overlay_refused "base=$base,persist=maybe" 'not y or n'
	overlay_refused "base=$base,base=$base" 'twice'
	overlay_refused "base=$base,file=$BATS_TEST_TMPDIR/no/cow" 'Cannot create the file'
	phy_device
	overlay_refused "base=$phy,persist=n" 'is a block device, so there is no directory for a temporary file'
	: >"$BATS_TEST_TMPDIR/short"
	overlay_refused "base=$BATS_TEST_TMPDIR/short,persist=n" 'is empty'
}

@test "if the kernel refuses the mapping, nothing is left" {
	program "$BATS_TEST_TMPDIR/bin/dmsetup" <<<$'#!/bin/bash\necho "device-mapper: no" >&2; exit 1'
	overlay_refused "base=$base,persist=n" 'device-mapper: no'
	overlay_refused "base=$base,file=$cow" 'device-mapper: no'
	[[ ! -e $cow ]]
}

@test "plan prints what an attach would do" {
	vbd 1 51712 "base=$base,file=$cow"
	run call block-overlay plan vbd 1 51712
	[[ $status == 0 && $output == *overlay_file* ]]
	[[ ! -e $cow ]]
	assert_released
}

# What enumerate.bash does with block, it does here with block-overlay.
assert_nothing_held() {
	assert_released
}
assert_attached() {
	assert_node "$subject_path/hotplug-status" connected
}

@test "an attach killed at any moment is detached without residue" {
	subject_is vbd block-overlay "base=$base,persist=n"
	subject_nodes
	killed_everywhere attach 38
}

@test "a detach killed at any moment is completed by the next one" {
	subject_is vbd block-overlay "base=$base,persist=n"
	subject_nodes
	killed_everywhere detach 36
}

@test "an overlay whose attach was killed at any moment can be attached again" {
	subject_is vbd block-overlay "base=$base,file=$cow"
	subject_nodes
	killed_everywhere attach 34
	[[ -e $cow ]]
}
