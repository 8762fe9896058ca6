# SPDX-License-Identifier: LGPL-2.1-only
# block-iscsi: a LUN that can be reached on several paths, with stand-ins for
# open-iscsi and multipath: it is one disk, for one guest.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/iscsi

setup() {
	host_start
	domain 1
	domain 2
	iscsi_start
	other=192.0.2.2,3260
	iscsi_target "$iqn" "$portal" "$other"
	iscsi_lun "$iqn" 1
	target=iqn=$iqn,portal=192.0.2.1
	both=iqn=$iqn,portal=192.0.2.1+192.0.2.2
}

teardown() {
	local status=0
	host_stop || status=1
	iscsi_stop || status=1
	return "$status"
}

@test "a disk that another guest has through another portal is refused, unless both only read" {
	iscsi_vbd 1 51712 "$target"
	iscsi_vbd 2 51712 "iqn=$iqn,portal=192.0.2.2"
	iscsi_add 1 51712
	run iscsi_add 2 51712
	assert_failed backend/vbd/2/51712 busy 'This disk can also be reached as loop'
	assert_failed backend/vbd/2/51712 busy "guest1"
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
	iscsi_remove 1 51712
	xenstore-rm backend/vbd/1/51712
	iscsi_vbd 1 51712 "$target" mode r
	store_set backend/vbd/2/51712/mode r
	iscsi_add 1 51712
	iscsi_add 2 51712
	[[ "$(iscsi_sessions | wc -l)" == 2 ]]
	iscsi_remove 1 51712
	iscsi_remove 2 51712
	iscsi_nothing_left
}

@test "one of two parallel attaches of one disk through two targets is refused" {
	local second=iqn.2026-01.org.example:disk2 pids=() guest good round
	iscsi_target "$second" "$other"
	iscsi_lun "$second" 7 0 "naa.$iqn-1"
	for round in 1 2 3; do
		iscsi_vbd 1 51712 "$target"
		iscsi_vbd 2 51712 "iqn=$second,portal=192.0.2.2"
		good=0 pids=()
		for guest in 1 2; do
			iscsi_add "$guest" 51712 3>&- &
			pids+=($!)
		done
		for guest in 0 1; do wait "${pids[guest]}" && good=$((good + 1)); done
		[[ $good == 1 ]]
		iscsi_remove 1 51712
		iscsi_remove 2 51712
		iscsi_nothing_left
		xenstore-rm backend/vbd/1/51712
		xenstore-rm backend/vbd/2/51712
	done
}

# is_waiting
# Somebody waits for a lock of our scripts.
is_waiting() {
	grep -q -- "-> OFDLCK.*:$(stat -c %i "$BATS_TEST_TMPDIR/run/xen-hotplug/lock") " /proc/locks
}

@test "an attach that looks for other paths of a disk waits for another one that does" {
	host mkdir -p /run/xen-hotplug
	exec 9>>"$BATS_TEST_TMPDIR/run/xen-hotplug/lock"
	"$root/helpers/xen-hotplug" lock "9:wwid/naa.$iqn-1"
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712 3>&- 9>&- &
	until_true is_waiting
	run ! store_has backend/vbd/1/51712/physical-device
	exec 9>&-
	wait "$!"
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1)"
}

@test "a disk without a WWID is refused" {
	: >"$ISCSI/targets/$iqn/luns/1/wwid"
	iscsi_vbd 1 51712 "$target"
	iscsi_refused 1 51712 'reports no WWID'
}

@test "several sessions at one portal need multipath=y" {
	iscsi_session "$iqn" "$portal"
	iscsi_session "$iqn" "$other"
	echo 192.0.2.1 >"$ISCSI/class/iscsi_session/session2/device/connection2:0/iscsi_connection/connection2:0/persistent_address"
	iscsi_vbd 1 51712 "$target"
	run iscsi_add 1 51712
	assert_failed backend/vbd/1/51712 error 'There are several paths to this disk'
}

@test "multipath=y: the guest gets the map of all paths" {
	multipath_start
	iscsi_vbd 1 51712 "$both,multipath=y"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "/dev/$MULTIPATH_MAP"
	[[ "$(iscsi_sessions | wc -l) $(multipath_paths | wc -l)" == '2 2' ]]
	run call block-iscsi check vbd 1 51712
	[[ "$status" == 0 ]]
	iscsi_remove 1 51712
	[[ ! -e "$ISCSI/class/block/$MULTIPATH_MAP" ]]
	[[ "$(tail -n 1 "$ISCSI/multipath")" == '-w '* ]]
	iscsi_nothing_left
}

@test "multipath=y: the attach succeeds without the path of a portal that does not answer" {
	multipath_start
	touch "$ISCSI/down/$portal"
	iscsi_vbd 1 51712 "$both,multipath=y"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "/dev/$MULTIPATH_MAP"
	[[ "$(multipath_paths)" == "$(iscsi_disk "$iqn" 1 "$other")" ]]
	iscsi_remove 1 51712
	iscsi_nothing_left
}

# has_disk <ADDRESS,PORT>
# The session with that portal has brought its disk.
has_disk() {
	local disk
	disk=$(iscsi_disk "$iqn" 1 "$1") && [[ -e $ISCSI/class/block/${disk##*/}/device/block ]]
}

@test "multipath=y: an existing map is used" {
	multipath_start
	iscsi_session "$iqn" "$portal"
	iscsi_session "$iqn" "$other"
	until_true has_disk "$other"
	until_true has_disk "$portal"
	disk=$(iscsi_disk "$iqn" 1)
	host multipath -i "$disk"
	iscsi_vbd 1 51712 "$both,multipath=y"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "/dev/$MULTIPATH_MAP"
	iscsi_remove 1 51712
	[[ "$(multipath_paths | wc -l)" == 2 ]]
	[[ "$(iscsi_sessions | wc -l)" == 2 ]]
}

@test "multipath=y: guests that only read share a map" {
	multipath_start
	iscsi_vbd 1 51712 "$both,multipath=y" mode r
	iscsi_vbd 2 51712 "$both,multipath=y" mode r
	iscsi_add 1 51712
	iscsi_add 2 51712
	iscsi_remove 1 51712
	[[ "$(multipath_paths | wc -l)" == 2 ]]
	iscsi_remove 2 51712
	[[ ! -e "$ISCSI/class/block/$MULTIPATH_MAP" ]]
	iscsi_nothing_left
}

@test "multipath=y: a guest that is attached during the last detach gets a map" {
	local leaving coming
	multipath_start
	iscsi_vbd 1 51712 "$both,multipath=y" mode r
	iscsi_vbd 2 51712 "$both,multipath=y" mode r
	iscsi_add 1 51712
	mkdir "$BATS_TEST_TMPDIR/busy"
	program "$BATS_TEST_TMPDIR/busy/multipath" <<-END
		#!/bin/bash
		: >$BATS_TEST_TMPDIR/held
		until [[ -e $BATS_TEST_TMPDIR/go ]]; do sleep 0.02; done
		exec $BATS_TEST_TMPDIR/bin/multipath "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/busy:$PATH iscsi_remove 1 51712 3>&- &
	leaving=$!
	until_true test -e "$BATS_TEST_TMPDIR/held"
	iscsi_add 2 51712 3>&- &
	coming=$!
	until_true waits_for_lock
	: >"$BATS_TEST_TMPDIR/go"
	wait "$leaving"
	wait "$coming"
	[[ "$(multipath_paths | wc -l)" == 2 ]]
	iscsi_remove 2 51712
	[[ ! -e "$ISCSI/class/block/$MULTIPATH_MAP" ]]
	iscsi_nothing_left
}

@test "multipath=y: paths that do not become one multipath device are refused" {
	multipath_start
	program "$BATS_TEST_TMPDIR/bin/multipath" <<<$'#!/bin/bash\n:'
	iscsi_vbd 1 51712 "$both,multipath=y"
	iscsi_refused 1 51712 'did not become one multipath device'
	rm "$BATS_TEST_TMPDIR/bin/multipath"
	iscsi_refused 1 51712 "needs the command 'multipath'"
}

@test "multipath=y: a path outside the map counts as another guest's disk" {
	multipath_start
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	iscsi_vbd 2 51712 "iqn=$iqn,portal=192.0.2.2,multipath=y"
	sed -i "s|for path in .*|for path in \"\$class/\$disk\"; do|" "$BATS_TEST_TMPDIR/bin/multipath"
	run iscsi_add 2 51712
	assert_failed backend/vbd/2/51712 busy 'guest1'
}
