# SPDX-License-Identifier: LGPL-2.1-only
# block-drbd, with a stand-in for DRBD (tests/stand-ins/drbd-utils), whose devices can
# be opened while the resource is Primary; tests/e2e has the real one.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/drbd

setup() {
	host_start
	domain 1
	domain 2
	drbd_start
	drbd_resource r0
}

teardown() {
	local status=0
	host_stop || status=1
	drbd_stop
	return "$status"
}

# The calls, each with the ids of the device.
drbd_add() { call block-drbd add vbd "$1" "${2:-51712}"; }
drbd_remove() { call block-drbd remove vbd "$1" "${2:-51712}"; }

# refused <part of the sentence> [hotplug-status]
# An add of guest 1's disk says so, changes no role, and leaves nothing.
refused() {
	local before
	before=$(cat "$DRBD_STATE"/*/*/role)
	run drbd_add 1
	assert_failed backend/vbd/1/51712 "${2:-error}" "$1"
	assert_refused backend/vbd/1/51712 "${2:-error}" "$1"
	[[ "$(cat "$DRBD_STATE"/*/*/role)" == "$before" ]]
	assert_residue_free
}

@test "add promotes the resource and publishes its device" {
	vbd 1 51712 r0
	drbd_add 1
	[[ "$(drbd_role r0)" == Primary ]]
	assert_node backend/vbd/1/51712/physical-device "$(stat -c %t:%T "$phy")"
	assert_node backend/vbd/1/51712/hotplug-status connected
	drbd_remove 1
	[[ "$(drbd_role r0)" == Secondary ]]
	assert_residue_free
	drbd_remove 1
}

@test "DRBD 8.4, which has no quorum, is supported" {
	drbd_version 8.4
	vbd 1 51712 r0
	drbd_add 1
	[[ "$(drbd_role r0)" == Primary ]]
	drbd_remove 1
	[[ "$(drbd_role r0)" == Secondary ]]
	xenstore-rm backend/vbd/1/51712
	vbd 1 51712 r0
	DRBD_HOST=beta drbdadm primary r0
	refused "is Primary on 'peer'"
}

@test "a target may keep its prefix drbd:" {
	vbd 1 51712 drbd:r0
	drbd_add 1
	[[ "$(drbd_role r0)" == Primary ]]
	drbd_remove 1
	[[ "$(drbd_role r0)" == Secondary ]]
}

@test "an add starts two programs" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	local name
	for name in drbdadm drbdsetup; do
		program "$BATS_TEST_TMPDIR/bin/$name" <<-END
			#!/bin/bash
			echo x >>$BATS_TEST_TMPDIR/starts
			exec $(type -P "$name") "\$@"
		END
	done
	vbd 1 51712 r0
	PATH=$BATS_TEST_TMPDIR/bin:$PATH drbd_add 1
	[[ "$(wc -l <"$BATS_TEST_TMPDIR/starts")" == 2 ]]
}

@test "each volume of a resource is a disk" {
	drbd_resource two 2
	vbd 1 51712 two
	vbd 1 51728 two/1
	drbd_add 1
	drbd_add 1 51728
	assert_node backend/vbd/1/51728/physical-device "$(stat -c %t:%T "$phy")"
	drbd_remove 1
	[[ "$(drbd_role two)" == Primary ]]
	drbd_remove 1 51728
	[[ "$(drbd_role two)" == Secondary ]]
	assert_residue_free
}

@test "a resource that was Primary before the attach stays Primary" {
	drbdadm primary r0
	vbd 1 51712 r0
	drbd_add 1
	drbd_remove 1
	[[ "$(drbd_role r0)" == Primary ]]
	drbd_remove 1
	[[ "$(drbd_role r0)" == Primary ]]
}

@test "a second guest is refused" {
	vbd 1 51712 r0
	vbd 2 51712 r0
	drbd_add 1
	run drbd_add 2
	assert_failed backend/vbd/2/51712 busy "guest1"
	[[ "$(drbd_role r0)" == Primary ]]
	drbd_remove 2
	[[ "$(drbd_role r0)" == Primary ]]
	drbd_remove 1
	[[ "$(drbd_role r0)" == Secondary ]]
}

@test "two guests that only read share a resource, in any order" {
	local first second
	for first in 1 2; do
		second=$((3 - first))
		vbd 1 51712 r0 mode r
		vbd 2 51712 r0 mode r
		xenstore-rm backend/vbd/1/51712/physical-device || :
		xenstore-rm backend/vbd/2/51712/physical-device || :
		drbd_add 1
		drbd_add 2
		drbd_remove "$first"
		[[ "$(drbd_role r0)" == Primary ]]
		drbd_remove "$second"
		[[ "$(drbd_role r0)" == Secondary ]]
	done
}

@test "an attach during a demotion promotes the resource again" {
	local going coming
	vbd 1 51712 r0 mode r
	vbd 2 51712 r0 mode r
	drbd_add 1
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/drbdadm" <<-END
		#!/bin/bash
		[[ \$1 != secondary ]] || : >$BATS_TEST_TMPDIR/held
		until [[ \$1 != secondary || -e $BATS_TEST_TMPDIR/go ]]; do sleep 0.02; done
		exec $(type -P drbdadm) "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH drbd_remove 1 &
	going=$!
	until_true test -e "$BATS_TEST_TMPDIR/held"
	drbd_add 2 &
	coming=$!
	until_true waits_or_ended "$coming"
	: >"$BATS_TEST_TMPDIR/go"
	wait "$going"
	wait "$coming"
	[[ "$(drbd_role r0)" == Primary ]]
	drbd_remove 2
	[[ "$(drbd_role r0)" == Secondary ]]
}

@test "no device demotes the resource of another when devices attach and detach in parallel" {
	local round guest calls
	for guest in {1..6}; do
		domain "$guest"
	done
	for ((round = 0; round < 3; round++)); do
		calls=()
		for guest in {1..6}; do
			vbd "$guest" 51712 r0 mode r
			drbd_add "$guest" &
			calls+=($!)
		done
		for guest in "${calls[@]}"; do wait "$guest"; done
		calls=()
		for guest in {2..6}; do
			drbd_remove "$guest" &
			calls+=($!)
		done
		for guest in "${calls[@]}"; do wait "$guest"; done
		[[ "$(drbd_role r0)" == Primary ]]
		drbd_remove 1
		[[ "$(drbd_role r0)" == Secondary ]]
		for guest in {1..6}; do
			xenstore-rm "backend/vbd/$guest/51712"
		done
	done
}

@test "an attach refused because of another guest's disk demotes the resource it promoted" {
	vbd 1 51712 "$phy"
	block_add 1 51712
	vbd 2 51712 r0
	run drbd_add 2
	assert_failed backend/vbd/2/51712 busy "guest1"
	[[ "$(drbd_role r0)" == Secondary ]]
}

@test "a live migration within this host keeps the resource Primary" {
	domain 1 00000000-0000-4000-8000-000000000001
	domain 2 00000000-0000-4000-8000-000000000001
	vbd 1 51712 r0
	vbd 2 51712 r0
	drbd_add 1
	drbd_add 2
	drbd_remove 1
	[[ "$(drbd_role r0)" == Primary ]]
	drbd_remove 2
	[[ "$(drbd_role r0)" == Secondary ]]
}

@test "a live migration from another host needs allow-two-primaries" {
	DRBD_HOST=beta drbdadm primary r0
	vbd 1 51712 r0
	refused "is Primary on 'beta'"
	drbd_is r0/two-primaries ''
	drbd_add 1
	[[ "$(drbd_role r0)" == Primary ]]
	[[ "$(drbd_role r0 beta)" == Primary ]]
	DRBD_HOST=beta drbdadm secondary r0
	drbd_remove 1
	[[ "$(drbd_role r0)" == Secondary ]]
}

@test "a live migration to another host leaves the resource Primary there" {
	drbd_is r0/two-primaries ''
	vbd 1 51712 r0
	drbd_add 1
	DRBD_HOST=beta drbdadm primary r0
	drbd_remove 1
	[[ "$(drbd_role r0)" == Secondary ]]
	[[ "$(drbd_role r0 beta)" == Primary ]]
}

@test "a resource that does not exist or is not up is refused with that reason" {
	vbd 1 51712 r9
	refused "There is no DRBD resource 'r9' on this host"
	rm "$DRBD_STATE/r0/alpha/up"
	nodes backend/vbd/1/51712 params r0
	refused "'r0' is not up; start it (drbdadm up r0)"
}

@test "a volume that the resource does not have is reported missing" {
	vbd 1 51712 r0/1
	refused "has no volume 1"
}

@test "without quorum, the resource is refused, even while it is Primary" {
	drbd_is r0/alpha/quorum no
	vbd 1 51712 r0
	refused "has no quorum"
	drbd_is r0/alpha/quorum yes
	drbdadm primary r0
	drbd_is r0/alpha/quorum no
	refused "has no quorum"
}

@test "without current data here or on a peer, the resource is refused" {
	local state
	vbd 1 51712 r0
	: >"$DRBD_STATE/r0/apart"
	for state in Inconsistent Diskless Outdated Failed; do
		drbd_is r0/alpha/disk "$state"
		refused "'r0' is $state here, and no connected peer is UpToDate"
	done
	rm "$DRBD_STATE/r0/apart"
	drbd_add 1
	drbd_remove 1
	xenstore-rm backend/vbd/1/51712/physical-device backend/vbd/1/51712/physical-device-path
	drbdadm primary r0
	: >"$DRBD_STATE/r0/apart"
	refused "is Failed here"
}

@test "any other refusal is quoted in DRBD's own words" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/drbdadm" <<-END
		#!/bin/bash
		echo "r0: State change failed: (-19) Concurrent state changes detected" >&2
		exit 11
	END
	vbd 1 51712 r0
	PATH=$BATS_TEST_TMPDIR/bin:$PATH refused 'Concurrent state changes detected'
}

@test "without drbd-utils, the error names the missing programs" {
	vbd 1 51712 r0
	PATH=${PATH#*:} refused "needs the command 'drbdadm'"
}

@test "an invalid name does no harm" {
	local name tried=0
	vbd 1 51712 r0
	for name in '' ' ' -a --help all / r0/ r0/x r0/-1 r0/99999999 ../r0 'r0 r1' "r'0" 'r"0' $'r0\nr1' "\$(touch $BATS_TEST_TMPDIR/pwned)" \
		'r*' drbd: drbd:drbd:r0 r0/0/0 "r0/a[\$(touch $BATS_TEST_TMPDIR/pwned)]" $'\xff' "$(printf 'a%.0s' {1..4000})"; do
		sampled || continue
		xenstore-write -R -- backend/vbd/1/51712/params "$name"
		refused 'which is not the name of a DRBD resource'
		drbd_remove 1
		tried=$((tried + 1))
	done
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
	say_tried "$tried" values 23
}

@test "the detach waits for a device that is still open for a moment" {
	vbd 1 51712 r0
	drbd_add 1
	drbd_is r0/alpha/open 5
	drbd_remove 1
	[[ "$(drbd_role r0)" == Secondary ]]
	assert_residue_free
}

@test "a device that stays open fails the remove" {
	vbd 1 51712 r0
	drbd_add 1
	drbd_is r0/alpha/open 1000
	run drbd_remove 1
	((status == 1))
	[[ $output == *"Cannot make the DRBD resource 'r0' Secondary: "*'held open by someone.' ]]
	[[ "$(drbd_role r0)" == Primary ]]
	drbd_is r0/alpha/open 0
	drbd_remove 1
	[[ "$(drbd_role r0)" == Secondary ]]
	assert_residue_free
}

@test "remove succeeds if the resource is down or gone" {
	vbd 1 51712 r0
	drbd_add 1
	rm "$DRBD_STATE/r0/alpha/up"
	drbd_remove 1
	assert_residue_free
	drbd_resource r1
	nodes backend/vbd/1/51712 params r1
	xenstore-rm backend/vbd/1/51712/physical-device
	drbd_add 1
	rm -r "$DRBD_STATE/r1"
	drbd_remove 1
	assert_residue_free
}

@test "remove succeeds if the kernel no longer has DRBD" {
	vbd 1 51712 r0
	drbd_add 1
	host rmdir /sys/module/drbd
	rm -r "$DRBD_STATE/r0"
	program "$BATS_TEST_TMPDIR/drbdsetup" <<-END
		#!/bin/bash
		echo "Failed to modprobe drbd (No such file or directory)" >&2
		exit 20
	END
	PATH=$BATS_TEST_TMPDIR:$PATH drbd_remove 1
	assert_residue_free
}

@test "remove demotes a disk that LINBIT's script attached" {
	drbdadm primary r0
	vbd 1 51712 drbd:r0 physical-device "$(stat -c %t:%T "$phy")" physical-device-path "$phy" hotplug-status connected
	drbd_remove 1
	[[ "$(drbd_role r0)" == Secondary ]]
	assert_residue_free
}

@test "a disk attached by LINBIT's script stays Primary while another guest of ours has it" {
	vbd 1 51712 r0 mode r
	drbd_add 1
	vbd 2 51712 r0 mode r physical-device "$(stat -c %t:%T "$phy")" physical-device-path "$phy"
	drbd_remove 2
	[[ "$(drbd_role r0)" == Primary ]]
}

@test "check reports the resource's role and state" {
	vbd 1 51712 r0
	run call block-drbd plan vbd 1 51712
	((status == 0))
	[[ "$output" == $'drbd_role r0\ndisk \'\' w' ]]
	[[ "$(drbd_role r0)" == Secondary ]]
	drbd_add 1
	run call block-drbd check vbd 1 51712
	((status == 0))
	drbd_is r0/alpha/quorum no
	run call block-drbd check vbd 1 51712
	((status == 1))
	[[ $output == *'has no quorum'* ]]
	drbd_is r0/alpha/quorum yes
	drbdadm secondary r0
	run call block-drbd check vbd 1 51712
	((status == 1))
	[[ $output == *'no longer Primary'* ]]
	drbdadm primary r0
}
