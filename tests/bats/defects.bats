# SPDX-License-Identifier: LGPL-2.1-only
# What Xen's own scripts do wrong, by observation alone: nothing here knows
# how the scripts work, so that it can be run on any. Each number is that of
# docs/defects.md. defects-upstream.bats shows that Xen's scripts fail every one.

load ../lib/host

setup() {
	host_start
	domain 1
	domain 2
	image disk.img
}

teardown() {
	[[ ! ${stopped-} ]] || kill -KILL "${stopped[@]}" 2>/dev/null || :
	host_stop
}

# programs <command>...
# How many programs the command starts, itself among them.
programs() {
	strace -f -qq -e trace=execve -e status=successful -o "$BATS_TEST_TMPDIR/strace" "$@" >/dev/null
	grep -c 'execve(' "$BATS_TEST_TMPDIR/strace"
}

# in_time <call>...
# A call, ended after 30 s: less than libxl waits.
in_time() {
	export -f call host libxl_environment block_add block_remove
	export host_pid scripts
	# shellcheck disable=SC2016 # the inner shell expands
	timeout 30 bash -c '"$@"' - "$@"
}

# tree <pid>
# The process and all below it.
tree() {
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do
		tree "$child"
	done
}

# in_background <call>...
# Starts a call, and waits until the store does not answer it: its script is
# then in the middle of its work. Sets script, the pid of the script itself.
in_background() {
	"$@" 3>&- &
	local wrapper=$!
	until grep -qs 'hang' "$STORE_LOG"; do
		kill -0 "$wrapper"
		read -rt 0.02 <> <(:) || :
	done
	script=$(tree "$wrapper" | while read -r pid; do
		[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") != *"bash $scripts/"* ]] || echo "$pid"
	done | head -n 1)
}

@test "1: two guests do not get one image read-write" {
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	block_add 1 51712
	run block_add 2 51712
	[[ "$status" -ne 0 ]]
	assert_node backend/vbd/2/51712/hotplug-status busy
	run ! store_has backend/vbd/2/51712/physical-device
}

@test "2: domains of which nothing can be known are not taken for one VM" {
	phy_device
	vbd 7 51712 "$phy"
	vbd 8 51712 "$phy"
	block_add 7 51712
	run block_add 8 51712
	[[ "$status" -ne 0 ]]
	assert_node backend/vbd/8/51712/hotplug-status busy
}

@test "5: an attach starts as many programs with 60 guests as with none" {
	local environment none many guest
	phy_device
	libxl_environment vbd 1 51712
	vbd 1 51712 "$phy"
	none=$(programs nsenter --target "$host_pid" --mount --net --wd=/ -- env "${environment[@]}" "$scripts/block" add)
	for ((guest = 100; guest < 160; guest++)); do
		store_set "backend/vbd/$guest/51712/physical-device" "fe:$guest" "backend/vbd/$guest/51712/mode" w
	done
	libxl_environment vbd 2 51728
	phy_device
	vbd 2 51728 "$phy"
	many=$(programs nsenter --target "$host_pid" --mount --net --wd=/ -- env "${environment[@]}" "$scripts/block" add)
	echo "programs: $none with no other guest, $many with 60"
	[[ "$many" -le "$((none + 2))" ]]
}

@test "5: the attach of one disk does not wait for that of another" {
	vbd 1 51712 "$image"
	store_fault "write:*/1/51712/*@1=hang"
	in_background block_add 1 51712
	image other.img
	vbd 2 51712 "$image"
	in_time block_add 2 51712
	assert_node backend/vbd/2/51712/hotplug-status connected
	# The first one was at work all the time.
	kill -KILL "$script"
}

@test "6: the wait for a lock ends in time, and the sentence names who holds it" {
	vbd 1 51712 "$image"
	store_fault "write:*/1/51712/*@1=hang"
	in_background block_add 1 51712
	mapfile -t stopped < <(tree "$script")
	kill -STOP "${stopped[@]}"
	store_fault_none
	run in_time block_remove 1 51712
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/1/51712 error "process ${stopped[0]}" ||
		assert_refused backend/vbd/1/51712 error "process ${stopped[1]}"
}

@test "7: a child that outlives its script does not keep the lock" {
	vbd 1 51712 "$image"
	store_fault "write:*/1/51712/*@1=hang"
	in_background block_add 1 51712
	mapfile -t stopped < <(tree "$script")
	kill -KILL "$script"
	store_fault_none
	in_time block_remove 1 51712
	in_time block_add 1 51712
	assert_node backend/vbd/1/51712/hotplug-status connected
}

@test "8: another program that takes the free loop device in between does no harm" {
	image taken.img
	cp /sbin/losetup "$BATS_TEST_TMPDIR/losetup"
	cat >"$BATS_TEST_TMPDIR/fake" <<-END
		#!/bin/sh
		$BATS_TEST_TMPDIR/losetup "\$@" || exit
		[ "\$*" != -f ] || $BATS_TEST_TMPDIR/losetup -f "$BATS_TEST_TMPDIR/taken.img"
	END
	chmod +x "$BATS_TEST_TMPDIR/fake"
	# Xen's scripts put the system's directories first in PATH.
	host mount --bind "$BATS_TEST_TMPDIR/fake" "$(readlink -f /sbin/losetup)"
	vbd 1 51712 "$BATS_TEST_TMPDIR/disk.img"
	block_add 1 51712
	assert_node backend/vbd/1/51712/hotplug-status connected
}

@test "10: an image that was deleted before the detach does not keep its loop device" {
	vbd 1 51712 "$image"
	block_add 1 51712
	rm "$image"
	block_remove 1 51712
	assert_residue_free
}

@test "12: an attach that fails takes back what it did" {
	vbd 1 51712 "$image"
	store_fault "write:*physical-device*@1+=ENOSPC"
	run block_add 1 51712
	[[ "$status" -ne 0 ]]
	assert_residue_free
}

@test "12: an attach that was killed is undone by the detach" {
	vbd 1 51712 "$image"
	store_fault "write:*/1/51712/*@1=hang"
	in_background block_add 1 51712
	mapfile -t stopped < <(tree "$script")
	kill -KILL "${stopped[@]}"
	store_fault_none
	block_remove 1 51712
	assert_residue_free
}

@test "13: the sentence of the first error reaches the store" {
	vbd 1 51712 "$image"
	host xenstore-rm backend/vbd/1/51712/params
	run block_add 1 51712
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/1/51712 error params
}

@test "14: a missing target is an error that names it, never connected" {
	vbd 1 51712 "$BATS_TEST_TMPDIR/missing.img"
	run block_add 1 51712
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/1/51712 error "missing.img' does not exist"
}

@test "15: a missing log directory does not stop an attach" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	rmdir "$BATS_TEST_TMPDIR/varlog/xen"
	online 1 0
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "16: an MTU that cannot be set is not a success" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 mtu 99999
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 99999
}

@test "16: an empty node is told from one that is absent" {
	local absent empty
	vbd 1 51712 ''
	run block_add 1 51712
	empty=$(store_get backend/vbd/1/51712/hotplug-error)
	host xenstore-rm backend/vbd/1/51712/params
	run block_add 1 51712
	absent=$(store_get backend/vbd/1/51712/hotplug-error)
	echo "empty: $empty"
	echo "absent: $absent"
	[[ "$empty" != "$absent" ]]
}

@test "20: with a vifname, too, the MTU goes to the guest's own node" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0 mtu 1400
	online 1 0
	assert_node /local/domain/1/device/vif/0/mtu 1400
	run ! store_has /local/domain/web0
}

@test "21: the only bridge is found without brctl, however many ports it has" {
	bridge xenbr0
	vif_link port0 peer0
	vif_link port1 peer1
	host ip link set port0 master xenbr0
	host ip link set port1 master xenbr0
	vif 1 0
	online 1 0
	host ip -json link show dev vif1.0 | jq -e '.[0].master == "xenbr0"'
	host ip link del port0
	host ip link del port1
}

@test "23: a second guest with a used vifname leaves the first one's interface up, also when it goes" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	vif 2 0 bridge xenbr0 vifname web0
	online 1 0
	run online 2 0
	[[ "$status" -eq 1 ]]
	offline 2 0
	host ip -json link show dev web0 | jq -e '.[0] | .master == "xenbr0" and (.flags | index("UP"))'
}

@test "32: an argument is not evaluated" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	call vif-bridge online vif 1 0 type_if=vif "a=\$(touch $BATS_TEST_TMPDIR/pwned)"
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}
