# SPDX-License-Identifier: LGPL-2.1-only
# block-iscsi, with a stand-in for open-iscsi: LUNs, and whose sessions end when.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/iscsi

setup() {
	host_start
	domain 1
	domain 2
	iscsi_start
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	target=iqn=$iqn,portal=192.0.2.1
}

teardown() {
	local status=0
	host_stop || status=1
	iscsi_stop || status=1
	return "$status"
}

@test "the only LUN of a target becomes the guest's disk" {
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1)"
	assert_node backend/vbd/1/51712/physical-device "$(stat -c %t:%T "$(iscsi_disk "$iqn" 1)")"
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
	iscsi_remove 1 51712
	iscsi_nothing_left
	iscsi_remove 1 51712
}

@test "with several LUNs, lun= must name one that exists and is a disk" {
	iscsi_lun "$iqn" 2
	iscsi_vbd 1 51712 "$target"
	iscsi_refused 1 51712 'the LUNs 1, 2; choose one with lun='
	store_set backend/vbd/1/51712/params "$target,lun=3"
	iscsi_refused 1 51712 'no disk with the LUN 3; it has 1, 2'
	store_set backend/vbd/1/51712/params "$target,lun=0"
	iscsi_refused 1 51712 'no disk with the LUN 0; it has 1, 2'
	store_set backend/vbd/1/51712/params "$target,lun=2"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 2)"
}

@test "a target without a disk is refused" {
	rm -r "$ISCSI/targets/$iqn/luns/1"
	iscsi_vbd 1 51712 "$target"
	iscsi_refused 1 51712 'has no disk for this host'
}

@test "the attach waits for a late block device, but not for ever" {
	iscsi_delay 1
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1)"
	iscsi_remove 1 51712
	rm "$ISCSI/targets/$iqn/luns/1/disk-$portal"
	store_set backend/vbd/1/51712/state 2
	xenstore-rm backend/vbd/1/51712/physical-device
	xenstore-rm backend/vbd/1/51712/physical-device-path
	iscsi_refused 1 51712 'did not create a block device for LUN'
}

@test "an existing session is rescanned and used" {
	iscsi_session "$iqn" "$portal"
	iscsi_lun "$iqn" 2
	iscsi_vbd 1 51712 "$target,lun=2"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 2)"
	[[ ! "$(iscsi_records)" ]]
	iscsi_remove 1 51712
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
	run ! grep -q login "$ISCSI/calls"
}

@test "two guests on two LUNs share a session" {
	local first last
	iscsi_lun "$iqn" 2
	for first in 1 2; do
		last=$((3 - first))
		iscsi_vbd 1 51712 "$target,lun=1"
		iscsi_vbd 2 51712 "$target,lun=2"
		iscsi_add 1 51712
		iscsi_add 2 51712
		[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
		iscsi_remove "$first" 51712
		[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
		iscsi_remove "$last" 51712
		iscsi_nothing_left
		xenstore-rm backend/vbd/1/51712
		xenstore-rm backend/vbd/2/51712
	done
	[[ "$(grep -c login "$ISCSI/calls")" == 2 ]]
}

@test "four guests that attach and detach in parallel share a session and leave none" {
	local guest pid pids round
	for guest in 1 2 3 4; do
		domain "$guest"
		[[ $guest == 1 ]] || iscsi_lun "$iqn" "$guest"
	done
	for round in 1 2 3; do
		pids=()
		for guest in 1 2 3 4; do
			xenstore-rm "backend/vbd/$guest/51712" 2>/dev/null || :
			iscsi_vbd "$guest" 51712 "$target,lun=$guest"
			{ iscsi_add "$guest" 51712 && iscsi_remove "$guest" 51712; } 3>&- &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid"; done
		iscsi_nothing_left
	done
}

@test "two guests are not given one LUN, unless both only read" {
	iscsi_vbd 1 51712 "$target"
	iscsi_vbd 2 51712 "$target"
	iscsi_add 1 51712
	run iscsi_add 2 51712
	assert_failed backend/vbd/2/51712 busy guest1
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
	iscsi_remove 1 51712
	iscsi_nothing_left
	xenstore-rm backend/vbd/1/51712
	iscsi_vbd 1 51712 "$target" mode r
	store_set backend/vbd/2/51712/mode r
	iscsi_add 1 51712
	iscsi_add 2 51712
	iscsi_remove 1 51712
	iscsi_remove 2 51712
	iscsi_nothing_left
}

@test "a detach ends a session that a restarted iscsid is reopening" {
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	echo 3 >"$ISCSI/reopening"
	iscsi_remove 1 51712
	iscsi_nothing_left
	[[ ! -e $ISCSI/reopening ]]
}

@test "a detach fails with a message while iscsid cannot reopen the session" {
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	echo 1000 >"$ISCSI/reopening"
	run iscsi_remove 1 51712
	[[ "$status" -eq 1 && "$output" == *'iscsid is still reconnecting session 1'* ]]
	assert_sentence "$(store_get backend/vbd/1/51712/hotplug-error)"
	[[ "$(iscsi_sessions)" && "$(iscsi_records)" ]]
	rm "$ISCSI/reopening"
	iscsi_remove 1 51712
	iscsi_nothing_left
}

@test "a session with which the administrator replaced ours is not ended" {
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	host iscsiadm --mode session --sid 1 --logout
	iscsi_session "$iqn" "$portal"
	iscsi_remove 1 51712
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
	[[ "$(iscsi_records)" && ! "$(host_journals)" ]]
}

@test "a second guest on the administrator's replacement session does not end it either" {
	iscsi_lun "$iqn" 2
	iscsi_vbd 1 51712 "$target,lun=1"
	iscsi_add 1 51712
	host iscsiadm --mode session --sid 1 --logout
	iscsi_session "$iqn" "$portal"
	iscsi_vbd 2 51712 "$target,lun=2"
	iscsi_add 2 51712
	iscsi_remove 1 51712
	iscsi_remove 2 51712
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
	[[ ! "$(host_journals)" ]]
}

@test "a detach ends the session quickly even if the server is gone" {
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	touch "$ISCSI/down/$portal"
	iscsi_remove 1 51712
	iscsi_nothing_left
}

@test "an attach through a session whose server is gone is refused" {
	iscsi_session "$iqn" "$portal"
	echo FAILED >"$ISCSI/class/iscsi_session/session1/state"
	iscsi_vbd 1 51712 "$target"
	run iscsi_add 1 51712
	assert_failed backend/vbd/1/51712 error 'not logged in (FAILED)'
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
}

@test "a session that recovers during the wait is used" {
	iscsi_session "$iqn" "$portal"
	echo FAILED >"$ISCSI/class/iscsi_session/session1/state"
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712 3>&- &
	until_true grep -aq portals "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
	echo LOGGED_IN >"$ISCSI/class/iscsi_session/session1/state"
	wait "$!"
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1)"
}

@test "two spellings of an IPv6 portal are one portal" {
	portal=fd00:9::1,3261
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	iscsi_lun "$iqn" 2
	iscsi_vbd 1 51712 "iqn=$iqn,portal=[FD00:0009:0::1]:3261,lun=1"
	iscsi_vbd 2 51712 "iqn=$iqn,portal=[fd00:9:0:0:0:0:0:1]:3261,lun=2"
	iscsi_add 1 51712
	iscsi_add 2 51712
	[[ "$(iscsi_sessions)" == "$iqn fd00:9::1" ]]
	iscsi_remove 1 51712
	iscsi_remove 2 51712
	iscsi_nothing_left
}

@test "a disk that Xen's script attached is detached" {
	iscsi_session "$iqn" "$portal"
	iscsi_vbd 1 51712 "$target" physical-device-path "$(iscsi_disk "$iqn" 1)" physical-device 7:1 state 5
	iscsi_remove 1 51712
	iscsi_nothing_left
}

@test "a second detach succeeds" {
	iscsi_session "$iqn" "$portal"
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	iscsi_remove 1 51712
	iscsi_remove 1 51712
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
}

@test "the detach of a disk that was never attached succeeds" {
	iscsi_session "$iqn" "$portal"
	iscsi_vbd 1 51712 "$target" state 5
	iscsi_remove 1 51712
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
}

@test "the target may keep the prefix iscsi:" {
	iscsi_vbd 1 51712 "iscsi:$target"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1)"
}

@test "check reports what has changed since the attach" {
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	run call block-iscsi check vbd 1 51712
	[[ "$status" == 0 ]]
	echo FAILED >"$ISCSI/class/iscsi_session/session1/state"
	echo transport-offline >"$ISCSI/class/iscsi_session/session1/device/target1:0:0/1:0:0:1/state"
	run call block-iscsi check vbd 1 51712
	[[ "$status" == 1 ]]
	[[ $output == *"broken  iscsi_session: No session with $iqn is logged in."* ]]
	[[ $output == *'broken  iscsi_lun: The disk '*' is transport-offline.'* ]]
}

@test "plan queries the target" {
	iscsi_vbd 1 51712 "$target,user=web"
	run call block-iscsi plan vbd 1 51712
	[[ "$status" == 1 ]]
	[[ $output == *'iscsi-secrets'*'does not exist; create it'* ]]
	iscsi_secrets "$iqn web secret"
	run call block-iscsi plan vbd 1 51712
	[[ "$status" == 0 ]]
	[[ ${lines[0]} == "iscsi_session $iqn 192.0.2.1 n n"* ]]
	[[ ! -e "$ISCSI/calls" ]]
	iscsi_nothing_left
}
