# SPDX-License-Identifier: LGPL-2.1-only
# What a call does, in its order: the programs that it starts, with their
# standard input, and the requests of the store, as tests/golden has them.
# `UPDATE_GOLDEN=1 bats tests/bats/trace.bats` writes those files anew.

load ../lib/host
load ../lib/enumerate

setup() {
	host_start
	domain 1
	fake_ip
}

teardown() {
	host_stop
}

# fake_ip
# An ip that says in the trace how it was called, and does it.
fake_ip() {
	trace=$BATS_TEST_TMPDIR/trace
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		echo "ip \$*" >>$trace
		[[ \$1 == -batch ]] || exec $(type -P ip) "\$@"
		mapfile -t batch
		printf '  | %s\n' "\${batch[@]}" >>$trace
		printf '%s\n' "\${batch[@]}" | $(type -P ip) "\$@"
	END
}

# traced attach|detach
# Makes the call; its trace has the programs, and then the requests.
traced() {
	: >"$STORE_LOG"
	libxl "$1" env PATH="$BATS_TEST_TMPDIR/bin:$PATH"
	{
		echo "exit status $ended"
		sed 's/^/  says: /' "$said"
	} >>"$trace"
	awk '{ $1 = $2 = $3 = ""; if ($5) $5 = "t"; else $5 = "-"; print }' "$STORE_LOG" |
		sed 's/^ */store: /' >>"$trace"
}

# assert_golden <name>
# The trace is that of the file, but for what differs from run to run.
assert_golden() {
	local golden=$root/tests/golden/$1
	sed -e "s|$BATS_TEST_TMPDIR|TMP|g" -e "s|vbd/1/$subject_id|vbd/1/51712|g" \
		-e "s|/dev/loop[0-9]*|/dev/loopN|g" "$trace" >"$trace.plain"
	[[ ! ${UPDATE_GOLDEN-} ]] || cp "$trace.plain" "$golden"
	diff -u "$golden" "$trace.plain"
}

# prepared vif|tap|disk
# The directory under /run is there, which only the first call makes.
prepared() {
	subject_make "$1"
	libxl attach
	libxl_goes
	libxl detach
	subject_nodes
}

@test "online of a vif with a vifname and an MTU matches its golden trace" {
	prepared vif
	traced attach
	assert_golden vif-bridge-online
}

@test "offline of a vif with a vifname matches its golden trace" {
	prepared vif
	libxl attach
	libxl_goes
	traced detach
	assert_golden vif-bridge-offline
}

@test "online of a vif whose bridge does not exist matches its golden trace" {
	prepared vif
	nodes "$subject_path" bridge xenbr9
	traced attach
	assert_golden vif-bridge-online-without-bridge
}

@test "add of a tap matches its golden trace" {
	prepared tap
	traced attach
	assert_golden vif-bridge-add
}

@test "add of an image file matches its golden trace" {
	prepared disk
	traced attach
	assert_golden block-add
	libxl detach
}

@test "remove of an image file matches its golden trace" {
	prepared disk
	libxl attach
	libxl_goes
	traced detach
	assert_golden block-remove
}

@test "add of an image file that does not exist matches its golden trace" {
	prepared disk
	rm "$image"
	traced attach
	assert_golden block-add-without-image
}

@test "blkback's trigger is written in one transaction, after all nodes that blkback reads" {
	prepared disk
	traced attach
	grep -A 9 TRANSACTION_START "$trace" | grep -B 9 'TRANSACTION_END t T' >"$trace.transaction"
	grep 'WRITE t .*/physical-device ' "$trace.transaction"
	grep 'WRITE t .*/hotplug-status ' "$trace.transaction"
	[[ "$(grep -c 'store: WRITE' "$trace")" == "$(grep -c 'store: WRITE t' "$trace.transaction")" ]]
	grep -A 9 '/physical-device -> ok' "$trace.transaction" | run ! grep '/physical-device-path -> ok'
	libxl detach
}
