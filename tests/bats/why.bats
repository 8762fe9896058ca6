# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug why: the last failure in the log. And the fields that the log has.

load ../lib/host
load ../lib/observe
load ../lib/people

setup() {
	host_start
	domain 1
	domain 2
	bridge xenbr0
}

teardown() {
	host_stop
}

# broken_ip
# An ip(8) that fails where it is to make a port of the bridge.
broken_ip() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		[[ \$1 == -batch ]] || exec $(type -P ip) "\$@"
		batch=\$(cat)
		[[ \$batch != *' master '* ]] || { echo 'no more ports' >&2; exit 2; }
		exec $(type -P ip) "\$@" <<<"\$batch"
	END
}

# failures
# Guest 1's disk fails, then guest 2's interface.
failures() {
	vbd 1 51712 /nothing
	run block_add 1 51712
	((status == 1))
	broken_ip
	vif 2 0 bridge xenbr0
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run online 2 0
	((status == 1))
}

@test "why has the last failure, its guest, its sentence, and how long each command took" {
	failures
	run people why
	echo "$output"
	((status == 0))
	[[ $output == $'vif-bridge: online of vif/2/0 failed.\nThe guest is guest2\n\nCannot make vif2.0 a port of the bridge xenbr0'* ]]
	[[ $output == *$'\nWhat was run:\n'*'  + ip -batch - <<< '*$'\n  took '+([0-9])$' ms\n  status '[0-9]*': '*$'\n  undone:\n'* ]]
}

@test "why finds the failure of a device or guest by its names, also when the guest is gone" {
	local name
	failures
	xenstore-rm /local/domain/1
	xenstore-rm backend/vbd/1
	for name in guest1 1 vbd/1/51712 backend/vbd/1/51712 guest1/xvda 1/xvda xvda; do
		[[ "$(people why "$name")" == $'block: add of vbd/1/51712 failed.\nThe guest is guest1\n\nDisk \'/nothing\' does not exist'* ]]
	done
	for name in guest2 2 vif2.0 vif/2/0 guest2/vif2.0; do
		[[ "$(people why "$name")" == 'vif-bridge: online of vif/2/0 failed.'* ]]
	done
	run people why web
	[[ $status == 3 && $output == "The log has no failure of 'web'." ]]
	run people why 1 2
	[[ $status == 2 ]]
}

@test "why skips what a check found, and says that there is nothing" {
	: >"$log"
	run people why
	[[ $status == 3 && $output == 'The log has no failure.' ]]
	vif 1 0 bridge xenbr0
	online 1 0
	host ip link set vif1.0 nomaster
	run people check vif1.0
	((status == 1))
	grep -q '^err: vif/1/0 is not as it was attached' "$log"
	run people why
	[[ $status == 3 ]]
	XEN_HOTPLUG_LOG=$BATS_TEST_TMPDIR/none run people why
	[[ $status == 1 && $output == "Cannot read the log '$BATS_TEST_TMPDIR/none' (No such file or directory); "* ]]
}

# journalctl_with <file>
# A journalctl that prints that.
journalctl_with() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/journalctl" <<-END
		#!/bin/bash
		[[ \$* == '--quiet --no-pager --identifier=xen-hotplug --output=export --lines='* ]] && cat "$1"
	END
}

@test "why reads systemd's journal, with the time, and skips what is no text" {
	{
		printf '__REALTIME_TIMESTAMP=1790000000123456\nPRIORITY=3\nMESSAGE=The image is gone.\n\n'
		printf '_PID=7\nMESSAGE\n\5\0\0\0\0\0\0\0a\nb\nc\nPRIORITY=5\n\n'
		printf 'MESSAGE=block: add of vbd/7/51712 failed.\nPRIORITY=5\n\n'
		printf 'PRIORITY=5\nMESSAGE=+ truncate -s 1 x\n\nPRIORITY=5\nMESSAGE=guest: web\n\n'
	} >"$BATS_TEST_TMPDIR/export"
	journalctl_with "$BATS_TEST_TMPDIR/export"
	unset XEN_HOTPLUG_LOG
	TZ=UTC PATH=$BATS_TEST_TMPDIR/bin:$PATH run people why web
	echo "$output"
	[[ $status == 0 && $output == 'At 2026-09-21 14:13:20
block: add of vbd/7/51712 failed.
The guest is web

The image is gone.

What was run:
  + truncate -s 1 x' ]]
	truncate -s 0 "$BATS_TEST_TMPDIR/export"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run people why
	[[ $status == 3 ]]
	rm "$BATS_TEST_TMPDIR/export"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run people why
	[[ $status == 1 && $output == *'journalctl cannot read the system log; run this as root, or join the group systemd-journal.' ]]
}

@test "systemd's journal gets the version and the device as fields of each line" {
	local receiver
	mkdir -p "$BATS_TEST_TMPDIR/run/systemd/journal"
	# shellcheck disable=SC2016 # perl expands
	host perl -MSocket -e 'socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die;
		bind $s, pack_sockaddr_un("/run/systemd/journal/socket") or die;
		for (1 .. 2) { recv $s, my $text, 65536, 0; print "$text\n" } $| = 1' >"$BATS_TEST_TMPDIR/received" 3>&- &
	receiver=$!
	until_true test -S "$BATS_TEST_TMPDIR/run/systemd/journal/socket"
	unset XEN_HOTPLUG_LOG
	vbd 1 51712 /nothing
	run block_add 1 51712
	until_true gone "$receiver"
	cat "$BATS_TEST_TMPDIR/received"
	grep -q "^MESSAGE=Disk '/nothing' does not exist" "$BATS_TEST_TMPDIR/received"
	grep -qx 'MESSAGE=block: add of vbd/1/51712 failed.' "$BATS_TEST_TMPDIR/received"
	[[ "$(grep -cx "XEN_HOTPLUG_VERSION=$(<"$root/VERSION")" "$BATS_TEST_TMPDIR/received")" == 2 ]]
	grep -qx 'XENBUS_PATH=backend/vbd/1/51712' "$BATS_TEST_TMPDIR/received"
	grep -qx 'PRIORITY=3' "$BATS_TEST_TMPDIR/received"
	grep -qx 'SYSLOG_IDENTIFIER=xen-hotplug' "$BATS_TEST_TMPDIR/received"
}
