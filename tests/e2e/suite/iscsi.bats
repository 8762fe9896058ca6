#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Disks from an iSCSI server, which is tgt, in dom0: two LUNs, on the portals
# 127.0.0.1 and 10.9.0.1.

load ../lib/xen.bash

iqn=iqn.2026-01.org.example:disks
disk=vdev=xvdb,access=w,script=block-iscsi,target=iqn=$iqn,portal=127.0.0.1

setup() {
	guest web 11
	image lun1
	image lun2
	server_start
	before=$(iscsi_residue)
}

teardown() {
	local status=0
	rm -f "$scripts"/hit-* /etc/xen/iscsi-secrets
	e2e_teardown
	[[ ${BATS_TEST_COMPLETED-} ]] || iscsi_clear
	server_end || status=1
	return "$status"
}

# server_start
server_start() {
	local lun
	tgtd
	within 60 tgtadm --op show --mode sys
	tgtadm --lld iscsi --op new --mode target --tid 1 --targetname "$iqn"
	for lun in 1 2; do
		tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun "$lun" --backing-store "$E2E_WORK/lun$lun.img"
	done
	tgtadm --lld iscsi --op bind --mode target --tid 1 --initiator-address ALL
}

# server_end
server_end() {
	pkill -KILL -x tgtd || :
	within 30 server_is_gone
}
server_is_gone() { ! pgrep -x tgtd; }

# iscsi_residue
iscsi_residue() {
	residue
	iscsiadm --mode session 2>/dev/null || :
	find /etc/iscsi/nodes -type f 2>/dev/null || :
	ls /sys/class/scsi_disk
	multipath_maps
}

# multipath_maps
multipath_maps() {
	grep -l '^mpath-' /sys/block/dm-*/dm/uuid 2>/dev/null || :
}

# iscsi_clear
# What a test that failed has left.
iscsi_clear() {
	multipath -F || :
	iscsiadm --mode session --logout || :
	rm -rf /etc/iscsi/nodes
}

# nothing_new
nothing_new() {
	within 30 is_iscsi_residue "$before" || {
		printf 'before:\n%s\nnow:\n%s\n' "$before" "$(iscsi_residue)"
		return 1
	}
}
is_iscsi_residue() { [[ "$(iscsi_residue)" == "$1" ]]; }

# sessions
# Prints how many there are.
sessions() {
	iscsiadm --mode session 2>/dev/null | grep -c . || :
}

@test "iSCSI: a LUN is attached and detached three times without residue, and the writes reach the server" {
	local round
	for round in 1 2 3; do
		xl block-attach web "$disk,lun=1"
		within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
		xl block-detach web xvdb
		nothing_new
		dd if=/dev/zero of="$E2E_WORK/lun1.img" bs=512 count=1 conv=notrunc status=none
	done
	run ! has_sector "$E2E_WORK/lun2.img" web xvdb
}

@test "iSCSI: lun= is optional for one LUN, and must name an existing LUN of several" {
	refused 'has several disks, the LUNs 1, 2; choose one with lun=' xl block-attach web "$disk"
	xl block-detach web xvdb
	refused 'has no disk with the LUN 7; it has 1, 2' xl block-attach web "$disk,lun=7"
	xl block-detach web xvdb
	refused 'has no disk with the LUN 0; it has 1, 2' xl block-attach web "$disk,lun=0"
	xl block-detach web xvdb
	nothing_new
	tgtadm --lld iscsi --op delete --mode logicalunit --tid 1 --lun 2
	xl block-attach web "$disk"
	within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
	xl block-detach web xvdb
	nothing_new
}

@test "iSCSI: two disks from one target share a session, which ends with the last disk" {
	xl block-attach web "$disk,lun=1"
	xl block-attach web "${disk/xvdb/xvdc},lun=2"
	within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
	within 30 has_sector "$E2E_WORK/lun2.img" web xvdc
	[[ "$(sessions)" == 1 ]]
	xl block-detach web xvdb
	[[ "$(sessions)" == 1 ]]
	xl block-detach web xvdc
	nothing_new
}

@test "iSCSI: a guest is created with its disk and destroyed without residue" {
	guest mail 12 "disk=['$E2E_WORK/mail.img,raw,xvda,w', '$disk,lun=2']"
	within 60 has_sector "$E2E_WORK/lun2.img" mail xvdb
	refused "by guest 'mail'" xl block-attach web "$disk,lun=2"
	xl block-detach web xvdb
	refused "by guest 'mail'" xl block-attach web "${disk/127.0.0.1/10.9.0.1},lun=2"
	xl block-detach web xvdb
	xl destroy mail
	nothing_new
}

@test "iSCSI: an existing session is used, and stays" {
	iscsiadm --mode node --targetname "$iqn" --portal 127.0.0.1:3260 --op new
	iscsiadm --mode node --targetname "$iqn" --portal 127.0.0.1:3260 --login
	xl block-attach web "$disk,lun=1"
	within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
	xl block-detach web xvdb
	[[ "$(sessions)" == 1 ]]
	iscsiadm --mode node --targetname "$iqn" --portal 127.0.0.1:3260 --logout
	iscsiadm --mode node --targetname "$iqn" --portal 127.0.0.1:3260 --op delete
	nothing_new
}

@test "iSCSI: CHAP accepts only the right secret" {
	tgtadm --lld iscsi --op new --mode account --user web --password 'twelve-bytes'
	tgtadm --lld iscsi --op bind --mode account --tid 1 --user web
	(umask 077 && echo "$iqn web wrong-secret" >/etc/xen/iscsi-secrets)
	refused 'authorization failure' xl block-attach web "$disk,lun=1,auth_method=CHAP,user=web"
	xl block-detach web xvdb
	refused 'authorization failure' xl block-attach web "$disk,lun=1"
	xl block-detach web xvdb
	nothing_new
	echo "$iqn web twelve-bytes" >/etc/xen/iscsi-secrets
	xl block-attach web "$disk,lun=1,auth_method=CHAP,user=web"
	within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
	run ! grep -rq twelve-bytes /etc/iscsi /run/xen-hotplug
	systemctl restart iscsid
	xl block-detach web xvdb
	nothing_new
}

@test "iSCSI: a missing target, a stopped server and an unreachable portal are named" {
	refused 'login failed' xl block-attach web "${disk/:disks/:none},lun=1"
	xl block-detach web xvdb
	refused 'connection timed out' xl block-attach web "$disk:3999,lun=1"
	xl block-detach web xvdb
	refused 'connection timed out' xl block-attach web "${disk/127.0.0.1/10.9.0.250},lun=1"
	xl block-detach web xvdb
	nothing_new
	refused "has no target $iqn-x" xl block-attach web "${disk/:disks/:disks-x},discovery=y"
	xl block-detach web xvdb
	nothing_new
}

@test "iSCSI: discovery finds the target's portals" {
	xl block-attach web "$disk,lun=1,discovery=y"
	within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
	xl block-detach web xvdb
	nothing_new
}

@test "iSCSI: a guest's disk works again after a restart of the server" {
	xl block-attach web "$disk,lun=1"
	within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
	server_end
	server_start
	xl block-attach web "${disk/xvdb/xvdc},lun=2"
	within 60 has_sector "$E2E_WORK/lun2.img" web xvdc
	[[ "$(sessions)" == 1 ]]
	xl block-detach web xvdb
	xl block-detach web xvdc
	nothing_new
}

@test "iSCSI: a disk whose server is gone or hangs is detached, and its session is ended" {
	xl block-attach web "$disk,lun=1"
	within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
	server_end
	xl block-detach web xvdb
	nothing_new
	server_start
	xl block-attach web "$disk,lun=2"
	within 30 has_sector "$E2E_WORK/lun2.img" web xvdb
	pkill -STOP -x tgtd
	xl block-detach web xvdb || xl block-detach web xvdb
	nothing_new
	pkill -CONT -x tgtd
}

@test "iSCSI: multipath=y: the guest's disk has two paths and survives the loss of one" {
	xl block-attach web "$disk+10.9.0.1,multipath=y,lun=1"
	within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
	[[ "$(sessions)" == 2 && "$(multipath_maps | wc -l)" == 1 ]]
	XENBUS_PATH=backend/vbd/$(xl domid web)/51728 "$scripts/block-iscsi" check
	xl block-detach web xvdb
	nothing_new
}

@test "iSCSI: an attach succeeds after a killed attach" {
	local start
	for start in 2 3 4 5 6 7 9; do
		cat >"$scripts/hit-block-iscsi" <<-END
			#!/bin/bash
			[[ \$1 == add ]] || exec "$scripts/block-iscsi" "\$@"
			exec strace -D -qq -o /dev/null -e trace=clone -e inject=clone:signal=SIGKILL:when=$start "$scripts/block-iscsi" "\$@"
		END
		chmod +x "$scripts/hit-block-iscsi"
		run ! xl block-attach web "${disk/block-iscsi/hit-block-iscsi},lun=1"
		xl block-detach web xvdb
		nothing_new
	done
	xl block-attach web "$disk,lun=1"
	within 30 has_sector "$E2E_WORK/lun1.img" web xvdb
	xl block-detach web xvdb
	nothing_new
}
