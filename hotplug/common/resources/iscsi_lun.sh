# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A LUN of an iSCSI target: the block devices, one for each session, that the
# kernel has made of it.

library sysfs

# The SCSI types that become sd devices: disk, optical, simple disk, zoned. LUN 0
# of a target is often something else, its controller.
iscsi_lun_types='0|7|14|20'

# iscsi_lun_acquire <iqn> <number, or empty for the only one>
# To come after iscsi_session, which sets iscsi_sessions. Sets paths: sdb, or
# "sdb sdc" where there are several sessions.
iscsi_lun_acquire() {
	local luns=() number=$2 lun disk
	paths=''
	iscsi_lun_list
	iscsi_lun_choose "$1"
	for lun in "${luns[@]}"; do
		[[ ${lun##*:} == "$number" ]] || continue
		sysfs_await 8 iscsi_lun there "$lun" ||
			fail "LUN $number of $1 has become no block device (SCSI device ${lun##*/}); see the log of the kernel."
		paths+="${paths:+ }$disk"
	done
	journal_remember paths "$paths"
}

# iscsi_lun_expect <iqn> <number>
# Before the session is there, nobody knows.
iscsi_lun_expect() {
	paths='' dev=''
}

# iscsi_lun_release <iqn> <number>
# They go with the session.
iscsi_lun_release() {
	:
}

# iscsi_lun_check <iqn> <number>
iscsi_lun_check() {
	local path remembered state
	journal_recall remembered paths
	read -ra remembered <<<"$remembered"
	for path in "${remembered[@]}"; do
		sysfs_read state "/sys/class/block/$path/device/state" || :
		[[ $state == running ]] || reason="The disk $path, LUN ${2:-$path} of $1, is ${state:-gone}."
	done
	[[ ! $reason ]]
}

# iscsi_lun_list
# Sets the caller's luns to the disks of all sessions, as directories in sysfs.
# iscsiadm returns when the kernel has asked the target, so all of them are there.
iscsi_lun_list() {
	local session lun scsi_type
	for session in "${iscsi_sessions[@]}"; do
		for lun in "/sys/class/iscsi_session/$session"/device/target*/*:*:*:*; do
			sysfs_read scsi_type "$lun/type" || continue
			[[ "|$iscsi_lun_types|" != *"|$scsi_type|"* ]] || luns+=("$lun")
		done
	done
}

# iscsi_lun_choose <iqn>
# Sets the caller's number to the only one, or fails where it is none of its luns.
iscsi_lun_choose() {
	local lun all=' '
	for lun in "${luns[@]}"; do
		[[ $all == *" ${lun##*:} "* ]] || all+="${lun##*:} "
	done
	[[ $all != ' ' ]] || fail "The target $1 has no disk for this host; give it a LUN there, or allow this host to use it."
	all=${all# } all=${all% }
	number=${number:-$all}
	[[ $number != *' '* ]] || fail "The target $1 has several disks, the LUNs ${all// /, }; choose one with lun= in the guest's configuration."
	[[ " $all " == *" $number "* ]] || fail "The target $1 has no disk with the LUN $number; it has ${all// /, }."
}

# iscsi_lun_is_there <directory in sysfs>
# Sets the caller's disk to the block device that the kernel has made of it;
# fails as long as there is none: that happens in the background.
iscsi_lun_is_there() {
	for disk in "$1"/block/*; do
		disk=${disk##*/}
		[[ $disk != '*' && -b /dev/$disk ]] && return 0
	done
	return 1
}
