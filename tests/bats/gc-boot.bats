# SPDX-License-Identifier: LGPL-2.1-only
# A journal of an earlier boot, in a /run that was kept: nothing of this boot is
# released because of it, whatever has the same name or number, and its files go. The
# nodes may have been kept, too, and be those of another guest with the number.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/disks
load ../lib/gc
load ../lib/routed

path=backend/vbd/1/51712

setup() {
	host_start
	domain 1
	image disk.img
}

teardown() {
	disks_stop
}

# old_disk <script> <target>
# A disk that was attached in an earlier boot; its nodes are still there.
old_disk() {
	vbd 1 51712 "$2"
	call "$1" add vbd 1 51712
	boot_again
}

# assert_forgotten [script]
# gc, or with a script its detach, forgets the device, although its nodes are there.
assert_forgotten() {
	if [[ ${1-} ]]; then
		call "$1" remove vbd 1 51712
	else
		[[ "$(gc)" == 'vbd/1/51712: released' ]]
	fi
	[[ ! "$(host_journals)" ]]
}

@test "gc forgets a disk of an earlier boot" {
	old_disk block "$image"
	assert_forgotten
	[[ "$(loop_of "$image")" ]]
	losetup -d "$(loop_of "$image")"
}

@test "a detach does the same" {
	old_disk block "$image"
	assert_forgotten block
	[[ "$(loop_of "$image")" ]]
	losetup -d "$(loop_of "$image")"
}

@test "an attach with a journal of an earlier boot attaches the disk, whatever the nodes say" {
	old_disk block "$image"
	# A boot leaves no loop device.
	losetup -d "$(loop_of "$image")"
	until_true no_loops
	block_add 1 51712
	assert_node "$path/physical-device" "$(stat -c %t:%T "$(loop_of "$image")")"
}

@test "an NBD device with the number of one of an earlier boot stays connected" {
	nbd_start
	nbd_serve disk
	old_disk block-nbd host=127.0.0.1,export=disk
	assert_forgotten
	[[ "$(nbd_devices)" == nbd0 ]]
	host rm -r /sys/block/nbd0
}

@test "an iSCSI session with the name of one of an earlier boot stays, and our record does not stay without one" {
	iscsi_start
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	old_disk block-iscsi "iqn=$iqn,portal=192.0.2.1"
	assert_forgotten
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
	host iscsiadm --mode session --sid 1 --logout
	until_true logged_out
	iscsi_record_gone
	old_disk block-iscsi "iqn=$iqn,portal=192.0.2.1"
	host iscsiadm --mode session --sid 2 --logout
	assert_forgotten block-iscsi
	iscsi_nothing_left
}

# logged_out
# There is no session.
logged_out() {
	[[ ! $(iscsi_sessions) ]]
}

# iscsi_record_gone
# Deletes the records, as an administrator does.
iscsi_record_gone() {
	rm -rf "$BATS_TEST_TMPDIR/etc/iscsi/nodes"
}

@test "a DRBD resource that is Primary in this boot stays so" {
	drbd_start
	drbd_resource r0
	old_disk block-drbd r0
	assert_forgotten
	[[ "$(drbd_role r0)" == Primary ]]
}

@test "a snapshot's temporary file of an earlier boot is deleted" {
	dmsetup_start
	old_disk block-overlay "base=$image,persist=n"
	assert_forgotten
	[[ ! "$(compgen -G "$image.*")" && "$(mappings)" ]]
	host dmsetup remove --deferred "$(mappings)"
	host_loops | while read -r loop _; do losetup -d "$loop"; done
}

@test "an interface with the name and number of one of an earlier boot stays on its bridge" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web
	online 1 0
	boot_again
	[[ "$(gc)" == 'vif/1/0: released' ]]
	[[ -e $host_root/sys/class/net/web/master ]]
	host ip link del web
}

@test "a lease of an earlier boot is deleted, and other guests' rules have no address of that boot" {
	routed_host_again
	host mkdir -p /run/xen-dhcp
	vif 1 0 ip 10.0.9.1
	nat_online 1 0
	boot_again
	vif 2 0
	nat_online 2 0
	[[ "$(host nft list table ip xen_hotplug_nat)" != *10.0.9.1* ]]
	[[ "$(gc)" == 'vif/1/0: released' ]]
	[[ "$(host ls /run/xen-dhcp)" == vif2.0 ]]
	nat_offline 2 0
}

# routed_host_again
# This host gets what vif-nat needs.
routed_host_again() {
	domain 2
	host ip link add eth0 type veth peer name outside
	host ip address add 192.0.2.1/24 dev eth0
	host ip link set eth0 up
}

@test "an NBD export that only a journal of an earlier boot has is free" {
	nbd_start
	nbd_serve disk
	domain 2
	old_disk block-nbd host=127.0.0.1,export=disk
	vbd 2 51712 host=127.0.0.1,export=disk
	call block-nbd add vbd 2 51712
	assert_node backend/vbd/2/51712/hotplug-status connected
	assert_forgotten_beside
}

# assert_forgotten_beside
# Likewise, where another device has a journal of this boot.
assert_forgotten_beside() {
	[[ "$(gc)" == 'vbd/1/51712: released' ]]
	call block-nbd remove vbd 2 51712
	host rm -r /sys/block/nbd0
}
