# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A LUN of an iSCSI target: its block devices, of which the kernel creates one for
# each session.

library lib/sysfs

# The SCSI types that become sd devices: disk, optical, simple disk, zoned. LUN 0
# is often not a disk, but the target's controller.
iscsi_lun_types='0|7|14|20'

# iscsi_lun_acquire <iqn> <number, or empty for the only one>
# Use it after iscsi_session, which sets iscsi_sessions. Sets paths: sdb, or
# "sdb sdc" for several sessions.
iscsi_lun_acquire() {
	local luns=() number=$2 lun disk
	paths=''
	iscsi_lun_list
	iscsi_lun_choose "$1"
	for lun in "${luns[@]}"; do
		[[ ${lun##*:} == "$number" ]] || continue
		sysfs_await 8 iscsi_lun there "$lun" ||
			fail "The kernel did not create a block device for LUN $number of $1 (SCSI device ${lun##*/}); see dmesg."
		paths+="${paths:+ }$disk"
	done
	journal_remember paths "$paths"
}

# iscsi_lun_expect <iqn> <number>
# The devices are not known before the session exists.
iscsi_lun_expect() {
	paths='' dev=''
}

# iscsi_lun_release <iqn> <number>
# Nothing to do: the devices go with the session.
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
# Sets luns (declared by the caller) to the disks of all sessions, as directories in
# sysfs. They are complete, because iscsiadm returns after the kernel's scan.
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
# Sets number to the only one of luns if it is empty; fails if number is not one of
# them (both declared by the caller).
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
# Sets disk (declared by the caller) to the LUN's block device; fails until the
# kernel has created it, which it does in the background.
iscsi_lun_is_there() {
	for disk in "$1"/block/*; do
		disk=${disk##*/}
		[[ $disk != '*' && -b /dev/$disk ]] && return 0
	done
	return 1
}
