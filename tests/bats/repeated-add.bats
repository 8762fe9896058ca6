# SPDX-License-Identifier: LGPL-2.1-only
# An add that is repeated succeeds because of what is held, whatever the nodes say: a
# node can outlive what it names, and its number be another guest's by then.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/disks

path=backend/vbd/1/51712

setup() {
	host_start
	domain 1
	domain 2
	image disk.img
}

teardown() {
	disks_stop
}

# disk <script> <target>
# A disk of guest 1 that is attached; sets script.
disk() {
	script=$1
	vbd 1 51712 "$2"
	call "$script" add vbd 1 51712
	assert_node "$path/hotplug-status" connected
}

# add
# The repeated add.
add() {
	call "$script" add vbd 1 51712
}

# assert_number
# The node has the number of the block device that its path names.
assert_number() {
	assert_node "$path/physical-device" "$(stat -c %t:%T "$(store_get "$path/physical-device-path")")"
}

@test "an add after a remove attaches the image, whose former number another guest has" {
	local own=$image number
	disk block "$own"
	number=$(store_get "$path/physical-device")
	block_remove 1 51712
	# Scripts that leave their nodes, or a kill, leave these.
	store_set "$path/physical-device" "$number" "$path/hotplug-status" connected
	image other.img
	vbd 2 51712 "$image"
	block_add 2 51712
	add
	[[ "$(store_get "$path/physical-device-path")" == "$(loop_of "$own")" ]]
	assert_number
}

@test "a remove takes away the nodes that the add wrote" {
	vbd 1 51712 "$image"
	nodes_remember
	block_add 1 51712
	block_remove 1 51712
	assert_changed
}

@test "an offline takes away hotplug-status" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	vif_link vif1.0-emu guest1.0-emu
	online 1 0
	tap_add 1 0
	tap_remove 1 0
	assert_node backend/vif/1/0/hotplug-status connected
	offline 1 0
	run ! store_has backend/vif/1/0/hotplug-status
}

@test "a remove after a refused add leaves the nodes that say why" {
	vbd 2 51712 "$image"
	block_add 2 51712
	vbd 1 51712 "$image"
	run block_add 1 51712
	block_remove 1 51712
	assert_refused "$path" busy guest2
}

@test "a remove that cannot release the disk leaves the nodes, which say whose it is" {
	drbd_start
	drbd_resource r0
	disk block-drbd r0
	exec 8<"/dev/drbd${phy#/dev/loop}"
	echo 'exit 1' >"$BATS_TEST_TMPDIR/drbd-bin/drbdadm"
	run call block-drbd remove vbd 1 51712
	exec 8<&-
	[[ "$status" -eq 1 ]]
	assert_number
	drbd_version 9
}

@test "a second add of a disk that is attached changes nothing" {
	local loop
	disk block "$image"
	loop=$(host_loops)
	nodes_remember
	add
	assert_changed
	[[ "$(host_loops)" == "$loop" ]]
}

@test "an add whose loop device was detached attaches the image again" {
	disk block "$image"
	losetup -d "$(loop_of "$image")"
	until_true no_loops
	add
	[[ "$(store_get "$path/physical-device-path")" == "$(loop_of "$image")" ]]
	assert_number
}

@test "an add whose loop device has another file now attaches the image again" {
	local own=$image loop
	disk block "$own"
	loop=$(loop_of "$own")
	losetup -d "$loop"
	until_true no_loops
	image other.img
	# Another test may have the number for a moment.
	until_true losetup "$loop" "$image"
	add
	[[ "$(store_get "$path/physical-device-path")" == "$(loop_of "$own")" ]]
	assert_number
	losetup "$loop"
	losetup -d "$loop"
}

@test "an add whose block device is another one under its name publishes that one" {
	local node=$BATS_TEST_TMPDIR/node first
	phy_device
	first=$phy
	mknod "$node" b "0x$(stat -c %t "$phy")" "0x$(stat -c %T "$phy")"
	disk block "$node"
	phy_device
	rm "$node"
	mknod "$node" b "0x$(stat -c %t "$phy")" "0x$(stat -c %T "$phy")"
	[[ $first != "$phy" ]]
	add
	assert_node "$path/physical-device" "$(stat -c %t:%T "$phy")"
}

@test "an add that finds the guest connected to what is gone fails" {
	disk block "$image"
	losetup -d "$(loop_of "$image")"
	until_true no_loops
	nodes "$path" state 4
	run add
	[[ "$status" -eq 1 ]]
	[[ "$(store_get "$path/hotplug-error")" == *"The guest is connected to the disk vbd/1/51712"*'detach it, then attach it again: The loop device '* ]]
	[[ ! "$(host_loops)" ]]
}

@test "an add after one that was killed before its end does not believe the nodes" {
	disk block "$image"
	# As if it had been killed before the last record.
	head -c -"$(printf '%s\0' published 2 "$(store_get "$path/node")" "$(store_get "$path/physical-device")" '' | wc -c)" \
		"$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712" >"$BATS_TEST_TMPDIR/cut"
	cp "$BATS_TEST_TMPDIR/cut" "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
	store_set "$path/physical-device" fe:1
	add
	assert_number
}

@test "an add that fails leaves no number of an earlier one" {
	disk block "$image"
	block_remove 1 51712
	store_set "$path/physical-device" 7:0 "$path/physical-device-path" /dev/loop0
	rm "$image"
	run add
	[[ "$status" -eq 1 ]]
	assert_unpublished
}

# assert_unpublished
assert_unpublished() {
	run ! store_has "$path/physical-device"
	run ! store_has "$path/physical-device-path"
}

@test "an add whose DRBD resource is no longer Primary promotes it again" {
	drbd_start
	drbd_resource r0
	disk block-drbd r0
	drbd_is r0/alpha/role Secondary
	add
	[[ "$(drbd_role r0)" == Primary ]]
}

@test "an add whose iSCSI session is gone logs in again" {
	iscsi_start
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	disk block-iscsi "iqn=$iqn,portal=192.0.2.1"
	host iscsiadm --mode session --sid 1 --logout
	[[ ! "$(iscsi_sessions)" ]]
	add
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
}

@test "an add whose NBD device was disconnected connects it again" {
	nbd_start
	nbd_serve disk
	disk block-nbd host=127.0.0.1,export=disk
	host nbd-client -disconnect /dev/nbd0
	add
	[[ "$(nbd_devices)" == nbd0 ]]
}

@test "an add whose qemu-nbd was killed starts another" {
	nbd_start
	qemu-img create -q -f qcow2 "$BATS_TEST_TMPDIR/disk.qcow2" 4M
	disk block-qcow2 "file=$BATS_TEST_TMPDIR/disk.qcow2"
	kill -KILL "$(nbd_servers)"
	until_true nbd_servers_gone
	add
	[[ "$(nbd_servers)" ]]
}

@test "an add whose snapshot was removed creates it again" {
	dmsetup_start
	disk block-overlay "base=$image,file=$BATS_TEST_TMPDIR/cow"
	host dmsetup remove --deferred "$(mappings)"
	add
	[[ "$(mappings)" == xen-hotplug-vbd-1-51712-* ]]
}

@test "an add whose tapdisk was killed starts another" {
	local before
	tap_start
	vhd_image disk.vhd
	vbd3 1 51712 "vhd:$image"
	call block-tap add vbd3 1 51712
	before=$(tapdisks)
	before=${before#pid=} before=${before%% *}
	kill -KILL "$before"
	until_true gone "$before"
	call block-tap add vbd3 1 51712
	tapdisks
	[[ "$(tapdisks)" == *"args=vhd:$image" && "$(tapdisks)" != "pid=$before "* ]]
	call block-tap remove vbd3 1 51712
}

# gone <process id>
gone() {
	! kill -0 "$1" 2>/dev/null
}
