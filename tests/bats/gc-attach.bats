# SPDX-License-Identifier: LGPL-2.1-only
# An attach that meets what a stale device has left releases that, and goes on.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/disks
load ../lib/gc

setup() {
	host_start
	domain 1
	domain 5
	image disk.img
}

teardown() {
	disks_stop
}

# restarted <script> <target> [node value]...
# Guest 1 has the disk and goes, and libxl calls no detach; started again, as domain 5,
# it gets the disk, and of the stale one nothing is left.
restarted() {
	vbd 1 51712 "${@:2}"
	call "$1" add vbd 1 51712
	stale 1 vbd
	vbd 5 51712 "${@:2}"
	call "$1" add vbd 5 51712
	assert_node backend/vbd/5/51712/hotplug-status connected
	[[ "$(host_journals | grep vbd-)" == 'journal vbd-5-51712' ]]
}

@test "a guest that is started again gets its image, whose detach was missed" {
	restarted block "$image"
	[[ "$(host_loops | wc -l)" == 1 ]]
	grep -q 'vbd/1/51712, which is stale, has the disk for vbd/5/51712: releasing it' "$log"
}

@test "a guest that is started again gets its tapdisk's image" {
	tap_start
	vhd_image disk.vhd
	vbd3 1 51712 "vhd:$image"
	call block-tap add vbd3 1 51712
	stale 1 vbd3
	vbd3 5 51712 "vhd:$image"
	call block-tap add vbd3 5 51712
	assert_node backend/vbd3/5/51712/hotplug-status connected
	[[ "$(tapdisks | wc -l)" == 1 && "$(host_journals)" == 'journal vbd3-5-51712' ]]
	call block-tap remove vbd3 5 51712
	assert_no_tap
}

@test "a guest that is started again gets its overlay" {
	dmsetup_start
	restarted block-overlay "base=$image,file=$BATS_TEST_TMPDIR/cow"
	[[ "$(mappings)" == xen-hotplug-vbd-5-51712-* && "$(mappings | wc -l)" == 1 ]]
}

@test "a guest that is started again gets its qcow2 image" {
	nbd_start
	qemu-img create -q -f qcow2 "$BATS_TEST_TMPDIR/disk.qcow2" 4M
	restarted block-qcow2 "file=$BATS_TEST_TMPDIR/disk.qcow2"
	[[ "$(nbd_servers | wc -l)" == 1 ]]
}

@test "a guest that is started again gets its NBD export" {
	nbd_start
	nbd_serve disk
	restarted block-nbd host=127.0.0.1,export=disk
	[[ "$(nbd_devices | wc -l)" == 1 ]]
}

@test "a plan says that the disk is free" {
	nbd_start
	nbd_serve disk
	vbd 1 51712 host=127.0.0.1,export=disk
	call block-nbd add vbd 1 51712
	vbd 1 51728 "$image"
	block_add 1 51728
	stale 1 vbd
	vbd 5 51712 host=127.0.0.1,export=disk
	vbd 5 51728 "$image"
	call block-nbd plan vbd 5 51712
	call block plan vbd 5 51728
	[[ "$(host_journals | grep -c vbd-1-)" == 2 && "$(host_loops)" && "$(nbd_devices)" ]]
	gc
}

# both_attached <script> <target>
# As restarted, where nothing that is stale is in the way.
both_attached() {
	vbd 1 51712 "$2"
	call "$1" add vbd 1 51712
	stale 1 vbd
	vbd 5 51712 "$2"
	call "$1" add vbd 5 51712
	assert_node backend/vbd/5/51712/hotplug-status connected
	gc
	call "$1" remove vbd 5 51712
}

@test "a stale device's DRBD role and iSCSI session pass to the next one" {
	drbd_start
	drbd_resource r0
	both_attached block-drbd r0
	[[ "$(drbd_role r0)" == Secondary ]]
	iscsi_start
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	domain 1
	xenstore-rm backend/vbd/5
	both_attached block-iscsi "iqn=$iqn,portal=192.0.2.1"
	iscsi_nothing_left
}

@test "an attach releases a stale loop device whose journal is lost" {
	vbd 1 51712 "$image"
	block_add 1 51712
	stale 1 vbd
	rm "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
	vbd 5 51712 "$image"
	block_add 5 51712
	[[ "$(host_loops | wc -l)" == 1 ]]
}

@test "an attach that meets several stale readers of an image releases all of them" {
	local guest
	for guest in 1 2 3; do
		domain "$guest"
		vbd "$guest" 51712 "$image" mode r
		block_add "$guest" 51712
	done
	for guest in 1 2 3; do stale "$guest" vbd; done
	vbd 5 51712 "$image"
	block_add 5 51712
	[[ "$(host_loops | wc -l)" == 1 && "$(host_journals)" == 'journal vbd-5-51712' ]]
}

# requests_of <domid>
# Prints how many requests of the store that guest's attach makes.
requests_of() {
	local before
	before=$(store_requests)
	block_add "$1" 51712
	echo "$(($(store_requests) - before))"
}

@test "an attach that does not meet what is stale costs nothing more" {
	local before
	vbd 1 51712 "$image"
	# No device is below this one, for which the store would be read once a minute.
	mkdir "$BATS_TEST_TMPDIR/ram"
	host mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/ram"
	image=$BATS_TEST_TMPDIR/ram/own.img
	host truncate -s 1M "$image"
	vbd 5 51712 "$image"
	before=$(requests_of 5)
	block_remove 5 51712
	xenstore-rm backend/vbd/5
	block_add 1 51712
	stale 1 vbd
	vbd 5 51712 "$image"
	[[ "$(requests_of 5)" == "$before" ]]
	gc
}

@test "an attach that cannot release what is stale says what can be done" {
	vbd 1 51712 "$image"
	block_add 1 51712
	exec 9<>"$BATS_TEST_TMPDIR/run/xen-hotplug/lock"
	"$root/helpers/xen-hotplug" lock 9:vbd/1/51712
	stale 1 vbd
	vbd 5 51712 "$image"
	run block_add 5 51712
	exec 9>&-
	assert_refused backend/vbd/5/51712 busy \
		"is still held for vbd/1/51712, which no longer exists; run 'xen-hotplug gc', which says what keeps it"
	gc
}

@test "a disk whose domain is gone and whose nodes are not is refused with the way to free it" {
	vbd 1 51712 "$image"
	block_add 1 51712
	xenstore-rm /local/domain/1
	vbd 5 51712 "$image"
	run block_add 5 51712
	assert_refused backend/vbd/5/51712 busy "run 'xenstore-rm backend/vbd/1/51712', then 'xen-hotplug gc'"
	xenstore-rm backend/vbd/1/51712
	block_add 5 51712
}

@test "of two attaches that meet a stale device at once, one gets its image" {
	local round first second got
	for round in 1 2 3 4 5; do
		domain 1
		vbd 1 51712 "$image"
		block_add 1 51712
		stale 1 vbd
		vbd 5 51712 "$image"
		vbd 6 51712 "$image"
		domain 6
		block_add 5 51712 3>&- &
		first=$!
		block_add 6 51712 3>&- &
		second=$!
		got=0
		! wait "$first" || got=$((got + 1))
		! wait "$second" || got=$((got + 1))
		[[ $got == 1 ]]
		[[ "$(host_loops | wc -l)" == 1 ]]
		block_remove 5 51712
		block_remove 6 51712
		xenstore-rm backend/vbd/5
		xenstore-rm backend/vbd/6
	done
}

@test "an attach that cannot release a stale NBD export's owner says what can be done" {
	nbd_start
	nbd_serve disk
	vbd 1 51712 host=127.0.0.1,export=disk
	call block-nbd add vbd 1 51712
	exec 9<>"$BATS_TEST_TMPDIR/run/xen-hotplug/lock"
	"$root/helpers/xen-hotplug" lock 9:vbd/1/51712
	stale 1 vbd
	vbd 5 51712 host=127.0.0.1,export=disk
	run call block-nbd add vbd 5 51712
	exec 9>&-
	assert_refused backend/vbd/5/51712 busy \
		"The NBD export 'disk' of 127.0.0.1:10809 is still held for vbd/1/51712, which no longer exists; run 'xen-hotplug gc', which says what keeps it."
	gc
}

@test "an attach keeps a stale NBD export's owner that the kernel still serves" {
	nbd_start
	nbd_serve disk
	vbd 1 51712 host=127.0.0.1,export=disk
	call block-nbd add vbd 1 51712
	stale 1 vbd
	vbd 5 51712 host=127.0.0.1,export=disk
	host mount -t tmpfs none /sys/bus
	host mkdir -p /sys/bus/xen-backend/devices/vbd-1-51712
	run call block-nbd plan vbd 5 51712
	[[ $status == 1 && $output == *"is still held for vbd/1/51712, which no longer exists; run 'xen-hotplug gc', which says what keeps it."* ]]
	run call block-nbd add vbd 5 51712
	assert_refused backend/vbd/5/51712 busy "is still held for vbd/1/51712, which no longer exists"
	grep -q 'The device vbd/1/51712 is kept, because the kernel still serves domain 1; destroy it first\.' "$log"
	host umount /sys/bus
	gc
}
