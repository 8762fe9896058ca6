# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A LUN of an iSCSI target: its block devices, of which the kernel creates one for
# each session.

library lib/sysfs

# The SCSI types that become sd devices: disk, optical, simple disk, zoned. LUN 0
# is often not a disk, but the target's controller.
iscsi_lun_types='0|7|14|20'

# Set by iscsi_lun_acquire: the LUN's block devices, sdb or, for several sessions, "sdb sdc".
iscsi_lun_paths=''

iscsi_lun_all=()    # set by iscsi_lun_list: the disks of all sessions, as directories in sysfs
iscsi_lun_number='' # set by iscsi_lun_choose
iscsi_lun_disk=''   # set by iscsi_lun_is_there: the block device of one LUN

iscsi_lun_arguments='IQN LUN'

# iscsi_lun_acquire <iqn> <number, or empty for the only one>
# Use it after iscsi_session, which sets iscsi_session_names. Sets iscsi_lun_paths.
iscsi_lun_acquire() {
	local lun
	iscsi_lun_paths=''
	iscsi_lun_list
	iscsi_lun_choose "$1" "$2"
	for lun in "${iscsi_lun_all[@]}"; do
		[[ ${lun##*:} == "$iscsi_lun_number" ]] || continue
		sysfs_await 8 iscsi_lun there "$lun" ||
			fail "The kernel did not create a block device for LUN $iscsi_lun_number of $1 (SCSI device ${lun##*/}); see dmesg."
		iscsi_lun_paths+="${iscsi_lun_paths:+ }$iscsi_lun_disk"
	done
	journal_remember paths "$iscsi_lun_paths"
}

# iscsi_lun_expect <iqn> <number>
# The devices are not known before the session exists.
iscsi_lun_expect() {
	iscsi_lun_paths='' dev=''
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
# Sets iscsi_lun_all. The disks are complete, because iscsiadm returns after the
# kernel's scan.
iscsi_lun_list() {
	local session lun scsi_type
	iscsi_lun_all=()
	for session in "${iscsi_session_names[@]}"; do
		for lun in "/sys/class/iscsi_session/$session"/device/target*/*:*:*:*; do
			sysfs_read scsi_type "$lun/type" || continue
			[[ "|$iscsi_lun_types|" != *"|$scsi_type|"* ]] || iscsi_lun_all+=("$lun")
		done
	done
}

# iscsi_lun_choose <iqn> <number, or empty for the only one>
# Sets iscsi_lun_number; fails if it is none of iscsi_lun_all.
iscsi_lun_choose() {
	local lun all=' '
	for lun in "${iscsi_lun_all[@]}"; do
		[[ $all == *" ${lun##*:} "* ]] || all+="${lun##*:} "
	done
	[[ $all != ' ' ]] || fail "The target $1 has no disk for this host; give it a LUN there, or allow this host to use it."
	all=${all# } all=${all% }
	iscsi_lun_number=${2:-$all}
	[[ $iscsi_lun_number != *' '* ]] || fail "The target $1 has several disks, the LUNs ${all// /, }; choose one with lun= in the guest's configuration."
	[[ " $all " == *" $iscsi_lun_number "* ]] || fail "The target $1 has no disk with the LUN $iscsi_lun_number; it has ${all// /, }."
}

# iscsi_lun_is_there <directory in sysfs>
# Sets iscsi_lun_disk; fails until the kernel has created the block device, which it
# does in the background.
iscsi_lun_is_there() {
	for iscsi_lun_disk in "$1"/block/*; do
		iscsi_lun_disk=${iscsi_lun_disk##*/}
		[[ $iscsi_lun_disk != '*' && -b /dev/$iscsi_lun_disk ]] && return 0
	done
	return 1
}
