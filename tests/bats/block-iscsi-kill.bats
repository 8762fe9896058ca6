# SPDX-License-Identifier: LGPL-2.1-only
# block-iscsi, killed at any moment, and with each of its programs failing: the
# detach that follows leaves no session, no record and no secret.

load ../lib/host
load ../lib/enumerate
load ../lib/iscsi

setup() {
	host_start
	domain 1
	iscsi_start
	iscsi_delay 0
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	echo 'web secret' >"$ISCSI/targets/$iqn/chap"
	iscsi_secrets "$iqn web secret"
	subject_is vbd block-iscsi "iqn=$iqn,portal=192.0.2.1,user=web" script "$scripts/block-iscsi"
	subject_nodes
}

teardown() {
	local status=0
	report_moment
	host_stop || status=1
	iscsi_stop || status=1
	return "$status"
}

# What enumerate.bash does with an image, it does here with a LUN.

# assert_disk_attached
assert_disk_attached() {
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1)"
}

# assert_nothing_held
# Also not later, by what iscsid was asked for.
assert_nothing_held() {
	until_true iscsi_is_quiet
	iscsi_nothing_left
}

@test "an attach killed at any moment is detached without residue" {
	killed_everywhere attach 47
}

@test "a detach killed at any moment is completed by the next one" {
	killed_everywhere detach 31
}

# program_fault attach|detach <number> <shell code>
# The nth start of iscsiadm does what the code says, where $real is the program.
program_fault() {
	moment="$1, iscsiadm $2: $3"
	mkdir -p "$BATS_TEST_TMPDIR/fault"
	: >"$BATS_TEST_TMPDIR/starts"
	program "$BATS_TEST_TMPDIR/fault/iscsiadm" <<-END
		#!/bin/bash
		real=$BATS_TEST_TMPDIR/bin/iscsiadm
		echo x >>$BATS_TEST_TMPDIR/starts
		[[ \$(wc -l <$BATS_TEST_TMPDIR/starts) != $2 ]] || { $3; }
		exec "\$real" "\$@"
	END
	libxl "$1" timeout "$in_time" env "PATH=$BATS_TEST_TMPDIR/fault:$PATH"
}

@test "if iscsiadm fails at any call, before or after its work, the next detach leaves nothing" {
	local what number tried=0
	# shellcheck disable=SC2016 # the stand-in expands
	for what in 'exit 1' '"$real" "$@"; exit 1' '"$real" "$@"; kill -KILL $$'; do
		for number in 1 2; do
			sampled || continue
			subject_nodes
			program_fault attach "$number" "$what"
			assert_all_or_nothing
			assert_detaches
			subject_nodes
			libxl attach
			libxl_goes
			program_fault detach "$number" "$what"
			((ended == 0)) || assert_sentence "$(tail -n 1 "$said")"
			assert_detaches
			tried=$((tried + 1))
		done
	done
	assert_works_again
	say_tried "$tried" calls 6
}

# record_unchanged
record_unchanged() {
	cmp "$record" "$BATS_TEST_TMPDIR/before"
	[[ ! "$(iscsi_sessions)" ]]
}

@test "an administrator's record is unchanged after a kill at any moment of the attach" {
	local record=$BATS_TEST_TMPDIR/etc/iscsi/nodes/$iqn/$portal
	mkdir -p "${record%/*}"
	printf 'node.name = mine\nnode.startup = automatic' >"$record"
	cp "$record" "$BATS_TEST_TMPDIR/before"
	killed_with_others 42 : record_unchanged
}

# two_luns
# The subject gets one of a session's LUNs; guest 2, once iscsi_other_attaches, the other.
two_luns() {
	domain 2
	iscsi_lun "$iqn" 2
	subject_settings[0]+=,lun=1
}

# iscsi_other_attaches
iscsi_other_attaches() {
	until_true iscsi_is_quiet
	xenstore-rm backend/vbd/2/51712 2>/dev/null || :
	iscsi_vbd 2 51712 "iqn=$iqn,portal=192.0.2.1,user=web,lun=2"
	iscsi_add 2 51712
}

# iscsi_other_keeps
# The other guest has the session.
iscsi_other_keeps() {
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
}

# iscsi_other_goes
iscsi_other_goes() {
	iscsi_other_keeps
	iscsi_remove 2 51712
	iscsi_nothing_left
}

@test "a guest that attaches after a killed attach keeps the session" {
	two_luns
	killed_with_others 47 iscsi_other_attaches iscsi_other_goes
}

@test "a killed attach does not end another guest's session" {
	two_luns
	iscsi_other_attaches
	killed_with_others 40 : iscsi_other_keeps
	iscsi_other_goes
}
