# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug gc: disks whose backend directory is gone, with what each script attaches.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/disks
load ../lib/gc

setup() {
	host_start
	domain 1
	domain 2
	image disk.img
}

teardown() {
	disks_stop
}

# stale_disk <script> <target> [node value]...
# A disk of guest 1 that is attached, and then stale.
stale_disk() {
	vbd 1 51712 "${@:2}"
	call "$1" add vbd 1 51712
	assert_node backend/vbd/1/51712/hotplug-status connected
	stale 1 vbd
}

# assert_collected [device]
# gc releases that device alone, and then nothing is left.
assert_collected() {
	run gc
	echo "$output"
	[[ $status == 0 && $output == "${1-vbd/1/51712}: released" ]] || return
	assert_residue_free
	[[ "$(gc)" == 'Nothing is stale.' ]]
}

@test "gc releases a stale image" {
	local own
	vbd 2 51712 "$BATS_TEST_TMPDIR/own.img"
	image own.img
	block_add 2 51712
	own=$(host_loops)
	image disk.img
	stale_disk block "$image"
	run gc
	[[ $status == 0 && $output == 'vbd/1/51712: released' ]]
	[[ "$(host_loops)" == "$own" ]]
	assert_node backend/vbd/2/51712/hotplug-status connected
	grep -q 'vbd/1/51712, whose backend directory was gone, is released' "$log"
}

@test "gc --dry-run names what is stale" {
	local before
	stale_disk block "$image"
	before=$(host_loops)
	run gc --dry-run
	[[ $status == 0 && $output == 'vbd/1/51712: would be released' ]]
	[[ "$(host_loops)" == "$before" && "$(host_journals)" ]]
	assert_collected
}

@test "gc forgets a stale block device" {
	phy_device
	stale_disk block "$phy"
	assert_collected
	losetup "$phy"
}

@test "gc ends a stale disk's tapdisk" {
	tap_start
	vhd_image disk.vhd
	vbd3 1 51712 "vhd:$image"
	call block-tap add vbd3 1 51712
	stale 1 vbd3
	assert_collected vbd3/1/51712
	assert_no_tap
}

@test "gc keeps a tapdisk that another device needs" {
	tap_start
	vhd_image disk.vhd
	domain 2 0000-1
	vbd3 1 51712 "vhd:$image"
	vbd3 2 51712 "vhd:$image"
	call block-tap add vbd3 1 51712
	call block-tap add vbd3 2 51712
	stale 1 vbd3
	gc
	[[ "$(tapdisks)" == *"args=vhd:$image" ]]
	call block-tap remove vbd3 2 51712
	assert_no_tap
}

@test "gc removes a stale snapshot, keeps its file, and deletes a temporary one" {
	dmsetup_start
	stale_disk block-overlay "base=$image,file=$BATS_TEST_TMPDIR/cow"
	assert_collected
	[[ ! "$(mappings)" && -e $BATS_TEST_TMPDIR/cow ]]
	domain 1
	stale_disk block-overlay "base=$image,persist=n"
	assert_collected
	[[ ! "$(mappings)" && ! "$(compgen -G "$image.*")" ]]
}

@test "gc disconnects a stale disk from its NBD server" {
	nbd_start
	nbd_serve disk
	stale_disk block-nbd host=127.0.0.1,export=disk
	assert_collected
	[[ ! "$(nbd_residue)" ]]
}

@test "gc ends the qemu-nbd of a stale NBD disk that reconnects" {
	nbd_start
	nbd_serve disk
	stale_disk block-nbd host=127.0.0.1,export=disk,reconnect=5
	assert_collected
	[[ ! "$(nbd_residue)" ]]
}

@test "gc ends the qemu-nbd of a stale image" {
	nbd_start
	qemu-img create -q -f qcow2 "$BATS_TEST_TMPDIR/base.qcow2" 4M
	qemu-img create -q -f qcow2 -b "$BATS_TEST_TMPDIR/base.qcow2" -F qcow2 "$BATS_TEST_TMPDIR/disk.qcow2"
	stale_disk block-qcow2 "file=$BATS_TEST_TMPDIR/disk.qcow2,backing=$BATS_TEST_TMPDIR/base.qcow2"
	assert_collected
	[[ ! "$(nbd_residue)" ]]
}

@test "gc logs out of a stale disk's iSCSI target" {
	iscsi_start
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	stale_disk block-iscsi "iqn=$iqn,portal=192.0.2.1"
	assert_collected
	iscsi_nothing_left
}

@test "gc removes the multipath map of a stale disk" {
	iscsi_start
	multipath_start
	iscsi_target "$iqn" "$portal" 192.0.2.2,3260
	iscsi_lun "$iqn" 1
	stale_disk block-iscsi "iqn=$iqn,portal=192.0.2.1+192.0.2.2,multipath=y"
	[[ "$(multipath_paths)" ]]
	assert_collected
	[[ ! "$(multipath_paths)" ]]
	iscsi_nothing_left
}

@test "gc demotes the DRBD resource of a stale disk" {
	drbd_start
	drbd_resource r0
	stale_disk block-drbd r0
	assert_collected
	[[ "$(drbd_role r0)" == Secondary ]]
}

@test "gc releases an attach that was killed before its guest went" {
	vbd 1 51712 "$image"
	block_add 1 51712
	truncate -s -20 "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
	stale 1 vbd
	assert_collected
}

@test "gc releases a disk whose script was removed, and one of an older version, which noted none" {
	local journal=$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	stale_disk block "$image"
	rm "$scripts/block"
	assert_collected
	cp "$root/hotplug/Linux/block" "$scripts"
	domain 1
	stale_disk block "$image"
	# As that has it: no record attach, which is the second one, and no published.
	mapfile -d '' -t fields <"$journal"
	printf '%s\0' "${fields[@]:0:4}" "${fields[@]:10:${#fields[@]}-15}" >"$journal"
	[[ "$(tr '\0' ' ' <"$journal")" == 'format 1 2  use 3 disk '*' 7:'*' ' ]]
	assert_collected
}

@test "gc detaches a tagged loop device whose journal is lost" {
	stale_disk block "$image"
	rm "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
	assert_collected
	rm -r "$BATS_TEST_TMPDIR/run/xen-hotplug"
	domain 1
	stale_disk block "$image"
	rm -r "$BATS_TEST_TMPDIR/run/xen-hotplug"
	assert_collected
}

@test "gc keeps a loop device without a journal whose device has nodes" {
	vbd 1 51712 "$image"
	block_add 1 51712
	mv "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712" "$BATS_TEST_TMPDIR/kept"
	[[ "$(gc)" == 'Nothing is stale.' ]]
	[[ "$(host_loops)" ]]
	mv "$BATS_TEST_TMPDIR/kept" "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
}

@test "gc says that a loop device is still open" {
	local loop
	stale_disk block "$image"
	loop=$(loop_of "$image")
	exec 8<"$loop"
	run gc
	[[ $status == 1 && $output == "vbd/1/51712: not released: The loop device $loop is still open, "*"'lsof $loop'." ]]
	# Its journal is gone, and the loop device is not.
	run gc
	[[ $status == 1 && $output == "vbd/1/51712: not released: The loop device $loop is still open, "* ]]
	vbd 2 51712 "$image"
	run block_add 2 51712
	assert_refused backend/vbd/2/51712 busy "is still held for vbd/1/51712, which no longer exists; run 'xen-hotplug gc'"
	exec 8<&-
	until_true no_loops
	block_add 2 51712
}

@test "gc keeps a device that the kernel still serves, as after a crash of xenstored" {
	stale_disk block "$image"
	host mount -t tmpfs none /sys/bus
	host mkdir -p /sys/bus/xen-backend/devices/vbd-1-51712
	run gc --dry-run
	[[ $status == 1 && $output == 'vbd/1/51712: kept, because the kernel still serves domain 1; destroy it first' ]]
	run gc
	[[ $status == 1 && $output == 'vbd/1/51712: kept, because the kernel still serves domain 1; destroy it first' ]]
	vbd 2 51712 "$image"
	run block_add 2 51712
	assert_refused backend/vbd/2/51712 busy 'which the kernel still serves'
	[[ "$(host_loops)" ]]
	host umount /sys/bus
	assert_collected
}

@test "gc skips a device that another script works on" {
	stale_disk block "$image"
	exec 9<>"$BATS_TEST_TMPDIR/run/xen-hotplug/lock"
	"$root/helpers/xen-hotplug" lock 9:vbd/1/51712
	run gc
	exec 9>&-
	[[ $status == 1 && $output == 'vbd/1/51712: kept, because another script works on it; try again later' ]]
	[[ "$(host_loops)" ]]
	assert_collected
}

@test "gc does nothing if it cannot read the store" {
	stale_disk block "$image"
	store_fault 'read:*vbd/1/51712@1+=EACCES'
	run gc
	[[ $status == 1 && $output == 'vbd/1/51712: not released: Its backend directory cannot be read (Permission denied).' ]]
	store_fault 'read:*vbd/1/51712@2=EACCES'
	run gc
	[[ $status == 1 && $output == 'vbd/1/51712: not released: '*'Permission denied'* ]]
	store_fault_none
	[[ "$(host_loops)" ]]
	XENSTORED_PATH=$BATS_TEST_TMPDIR/none run gc
	[[ $status == 1 && $output == 'Cannot connect to xenstored '* ]]
	assert_collected
}

@test "gc leaves a device that comes back before its lock is taken" {
	stale_disk block "$image"
	domain 1
	vbd 1 51712 "$image"
	# The first look sees no node; the second one, under the lock, does.
	store_fault 'read:*vbd/1/51712@1=ENOENT'
	[[ "$(gc)" == 'Nothing is stale.' ]]
	[[ "$(grep -c 'READ.*vbd/1/51712 ' "$STORE_LOG")" == 2 ]]
	[[ "$(host_loops)" && "$(host_journals)" ]]
}

@test "of a release that fails, gc keeps the journal, says why, and tries again" {
	drbd_start
	drbd_resource r0
	stale_disk block-drbd r0
	exec 8<"/dev/drbd${phy#/dev/loop}"
	# shellcheck disable=SC2016 # the stand-in expands
	sed -i '2i [[ $1 != secondary ]] || exit 11' "$BATS_TEST_TMPDIR/drbd-bin/drbdadm"
	run gc
	exec 8<&-
	echo "$output"
	[[ $status == 1 && $output == "vbd/1/51712: not released: Cannot make the DRBD resource 'r0' Secondary: "* ]]
	drbd_version 9
	assert_collected
	[[ "$(drbd_role r0)" == Secondary ]]
}

@test "a journal that is a symbolic link is not followed" {
	stale_disk block "$image"
	mv "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712" "$BATS_TEST_TMPDIR/kept"
	ln -s "$BATS_TEST_TMPDIR/kept" "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
	run gc
	[[ $status == 1 && $output == *'is no file that root has written'* ]]
	[[ "$(host_loops)" ]]
	mv -T "$BATS_TEST_TMPDIR/kept" "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
	assert_collected
}

@test "gc looks at the devices alone that it is given" {
	stale_disk block "$image"
	[[ "$(gc vbd/1/51728 vif/1/0)" == 'Nothing is stale.' ]]
	run gc vbd/1
	[[ $status == 2 && $output == "A device is TYPE/DOMID/DEVID, not 'vbd/1'; "* ]]
	[[ "$(gc vbd/1/51712)" == 'vbd/1/51712: released' ]]
}

@test "gc's help says what is stale" {
	run gc --help
	[[ $status == 0 && $output == *'backend directory is gone'* ]]
}
