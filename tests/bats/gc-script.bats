# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug gc starts the script that a journal names only if nobody but root can change it.

load ../lib/host
load ../lib/observe
load ../lib/gc

setup() {
	host_start
	domain 1
	image disk.img
	there=$BATS_TEST_TMPDIR/own/scripts
	own=$there/block-own
	journal=$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712
	mkdir -p "$there"
	chmod 755 "$BATS_TEST_TMPDIR/own" "$there"
	noting_script
}

teardown() {
	[[ ! -e $there.other ]] || chown -R root "$there.other"
	host_stop
}

# noting_script
# Makes the script $own, which notes each of its starts.
noting_script() {
	own_script "$own" "echo >>${BATS_TEST_TMPDIR@Q}/starts" < <(sed 1,4d "$scripts/block")
}

# stale_noting
# A disk that this script has attached, and then stale.
stale_noting() {
	stale_own "$own"
	rm "$BATS_TEST_TMPDIR/starts"
}

# refuses <sentence>
# gc does not start the script, says so, and leaves what is stale.
refuses() {
	run gc
	echo "$output"
	[[ $status == 1 && $output == "vbd/1/51712: not released: $1" ]] || return
	[[ ! -e $BATS_TEST_TMPDIR/starts && -e $journal && "$(host_loops)" ]] || return
	grep -qF "vbd/1/51712: not released: Its script " "$log"
}

# collects
# Now it starts the script, and nothing is left.
collects() {
	run gc
	[[ $status == 0 && $output == 'vbd/1/51712: released' && -s $BATS_TEST_TMPDIR/starts ]] || return
	assert_residue_free
}

# others
# The sentence for a script that others can change.
others() {
	echo "Its script '$own' is not started, because it can be changed or replaced by others than root; correct the owners and modes on its path ('namei -l')."
}

@test "a script that belongs to another user is not started by gc" {
	stale_noting
	chown 12345 "$own"
	refuses "$(others)"
	chown root "$own"
	collects
}

@test "a script that others can write is not started by gc" {
	local mode
	stale_noting
	chgrp 12345 "$own"
	for mode in 757 775; do
		chmod "$mode" "$own"
		refuses "$(others)"
	done
	chmod 755 "$own"
	collects
}

@test "a script in a directory that others can write, or on the way to it, is not started by gc" {
	local directory
	stale_noting
	for directory in "$there" "${there%/*}"; do
		chmod 757 "$directory"
		refuses "$(others)"
		chmod 755 "$directory"
		chown 12345 "$directory"
		refuses "$(others)"
		chown root "$directory"
	done
	# In such a directory, as in /tmp, only the owner can replace a file.
	chmod 1777 "$there"
	collects
}

@test "a link to a script of another user is not started by gc" {
	stale_noting
	mkdir "$there.other"
	mv "$own" "$there.other"
	ln -s "$there.other/block-own" "$own"
	chown 12345 "$there.other/block-own"
	refuses "$(others)"
	chown root "$there.other/block-own"
	collects
}

@test "a script whose path has .. in it is not started by gc" {
	local own=$BATS_TEST_TMPDIR/own/../own/scripts/block-own
	stale_noting
	refuses "Its script '$own' is not started, because it is no absolute path without '..'; release the device by its script's right path."
	stale_is_released
}

# stale_is_released
# As the sentence says, by hand.
stale_is_released() {
	host env XENBUS_PATH=backend/vbd/1/51712 "$there/block-own" remove
	assert_residue_free
}

@test "a script in whose place a directory is, is not started by gc" {
	stale_noting
	mv "$own" "$own.kept"
	mkdir "$own"
	refuses "Its script '$own' is not started, because it is no regular file; install the script there again."
	rmdir "$own"
	mv "$own.kept" "$own"
	collects
}

@test "a journal that others can write names no script" {
	stale_noting
	chmod 622 "$journal"
	run gc
	[[ ! -e $BATS_TEST_TMPDIR/starts ]]
	chmod 600 "$journal"
	[[ ! -e $journal ]] || gc
}
