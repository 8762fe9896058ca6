# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Targets, sessions and records of iSCSI for one test, by the stand-in iscsiadm
# tests/stand-ins/iscsiadm. Sourced by bats files, after host.bash.
#
# In $ISCSI: targets/IQN/{portals,chap,luns/N}; down/ADDRESS,PORT for a portal
# that does not answer; no-iscsid; reopening, how many logouts iscsid still
# refuses; delay, the seconds that what goes on in the background takes; calls,
# the arguments of each call; class, which is /sys/class.

# iscsi_start
# In the test's host, which gets an /etc of its own.
iscsi_start() {
	export ISCSI=$BATS_TEST_TMPDIR/iscsi PATH=$BATS_TEST_TMPDIR/bin:$PATH
	mkdir -p "$ISCSI"/{targets,down,class/{iscsi_session,scsi_disk,block}} "$BATS_TEST_TMPDIR"/{bin,etc/iscsi,etc.host}
	echo 0 >"$ISCSI/next"
	iscsi_delay 0.05
	iscsi_settings
	# shellcheck disable=SC2016 # the inner shell expands
	host bash -O extglob -c '
		mount --bind "$1/iscsi/class" /sys/class
		mount --bind /etc "$1/etc.host"
		ln -s -t "$1/etc" "$1"/etc.host/!(iscsi)
		mount --bind "$1/etc" /etc' - "$BATS_TEST_TMPDIR"
	iqn=iqn.2026-01.org.example:disk1 portal=192.0.2.1,3260
}

# iscsi_settings
# Makes iscsiadm, with what its variables are now.
iscsi_settings() {
	with_settings ISCSI ISCSI_STARTUP <"$root/tests/stand-ins/iscsiadm" | program "$BATS_TEST_TMPDIR/bin/iscsiadm"
}

# iscsi_delay <seconds>
iscsi_delay() {
	echo "$1" >"$ISCSI/delay"
}

# iscsi_target <iqn> <ADDRESS,PORT>...
# With a controller as LUN 0, as tgt has it.
iscsi_target() {
	mkdir -p "$ISCSI/targets/$1/luns"
	printf '%s\n' "${@:2}" >"$ISCSI/targets/$1/portals"
	iscsi_lun "$1" 0 12
}

# iscsi_lun <iqn> <number> [type] [wwid]
# A disk, or something else. On each portal it is a block device of its own.
iscsi_lun() {
	local lun=$ISCSI/targets/$1/luns/$2 at phy
	mkdir -p "$lun"
	echo "${3:-0}" >"$lun/type"
	echo "${4:-naa.$1-$2}" >"$lun/wwid"
	[[ ${3:-0} == 0 ]] || return 0
	while read -r at; do
		phy_device
		echo "${phy#/dev/}" >"$lun/disk-$at"
	done <"$ISCSI/targets/$1/portals"
}

# iscsi_disk <iqn> <number> [ADDRESS,PORT]
# Prints the block device that the LUN becomes.
iscsi_disk() {
	echo "/dev/$(<"$ISCSI/targets/$1/luns/$2/disk-${3:-$portal}")"
}

# iscsi_session <iqn> <ADDRESS,PORT>
# One that was there before us.
iscsi_session() {
	host "$root/tests/stand-ins/iscsiadm" iscsid "$1" "$2"
}

# iscsi_vbd <domid> <devid> <target> [node value]...
iscsi_vbd() {
	vbd "$@"
	store_set "backend/vbd/$1/$2/script" "$scripts/block-iscsi"
}

# The calls, each with the ids of the device.
iscsi_add() { call block-iscsi add vbd "$1" "$2"; }
iscsi_remove() { call block-iscsi remove vbd "$1" "$2"; }

# iscsi_attached <domid> <devid> <block device>
iscsi_attached() {
	assert_node "backend/vbd/$1/$2/physical-device-path" "$3" || return
	assert_node "backend/vbd/$1/$2/hotplug-status" connected
}

# iscsi_sessions
# Prints each in a line: its target and portal.
iscsi_sessions() {
	local session
	for session in "$ISCSI"/class/iscsi_session/session*; do
		[[ ! -e $session ]] || echo "$(<"$session/targetname") $(cat "$session"/device/connection*/iscsi_connection/*/persistent_address)"
	done
}

# iscsi_records
# Prints the files.
iscsi_records() {
	[[ ! -d $BATS_TEST_TMPDIR/etc/iscsi/nodes ]] || find "$BATS_TEST_TMPDIR/etc/iscsi/nodes" -type f
}

# iscsi_nothing_left
# No session, record, journal, and nothing that waits.
iscsi_nothing_left() {
	local left
	left=$(iscsi_sessions && iscsi_records && host_journals)
	[[ ! $left ]] || {
		printf 'left behind:\n%s\n' "$left"
		return 1
	}
}

# iscsi_stop
# For teardown, after host_stop: what the stand-in does in the background is done.
iscsi_stop() {
	until_true iscsi_is_quiet
}

# iscsi_is_quiet
# No process has iscsiadm as an argument; this grep's begins with ^. pgrep takes four times as long.
iscsi_is_quiet() {
	! grep -qsz "^$BATS_TEST_TMPDIR/bin/iscsiadm$" /proc/[0-9]*/cmdline
}

# iscsi_secrets <line>...
# For root alone. The scripts become a copy (enumerate.bash), beside which they
# are; the file's name is in secrets.
iscsi_secrets() {
	[[ ${tree-} ]] || {
		tree_copy
		cp "$real_helper" "$tree/helpers/xen-hotplug"
	}
	secrets=$tree/hotplug/iscsi-secrets
	(umask 077 && printf '%s\n' "$@" >"$secrets")
}

# iscsi_refused <domid> <devid> <part of the sentence> [hotplug-status]
# The attach fails with it, in time, and leaves nothing.
iscsi_refused() {
	run iscsi_add "$1" "$2"
	assert_failed "backend/vbd/$1/$2" "${4:-error}" "$3" || return
	assert_sentence "$(store_get "backend/vbd/$1/$2/hotplug-error")" || return
	iscsi_nothing_left
}

# multipath_start
# A stand-in for multipath, with a block device for its map, and one for udevadm.
multipath_start() {
	phy_device
	export MULTIPATH_MAP=${phy#/dev/}
	program "$BATS_TEST_TMPDIR/bin/udevadm" <<<$'#!/bin/bash\n[[ "$*" == "settle --timeout=5" ]]'
	with_settings ISCSI MULTIPATH_MAP <<-'END' | program "$BATS_TEST_TMPDIR/bin/multipath"
		#!/bin/bash
		# Each disk that has the same WWID becomes a path of the map.
		shopt -s nullglob
		echo "$*" >>"$ISCSI/multipath"
		class=$ISCSI/class/block disk=${2#/dev/}
		case $1 in
		-i)
			for path in "$class"/*; do
				[[ $(<"$path/device/wwid") == "$(<"$class/$disk/device/wwid")" ]] || continue
				mkdir -p "$path/holders/$MULTIPATH_MAP/dm" "$class/$MULTIPATH_MAP/dm"
				echo mpath-1 | tee "$path/holders/$MULTIPATH_MAP/dm/uuid" >"$class/$MULTIPATH_MAP/dm/uuid"
				echo mpatha >"$class/$MULTIPATH_MAP/dm/name"
			done
			;;
		-f)
			[[ $2 == "$(<"$class/$MULTIPATH_MAP/dm/name")" ]] || exit
			rm -r "$class/$MULTIPATH_MAP" "$class"/*/holders/"$MULTIPATH_MAP"
			;;
		-w) ;;
		*) exit 1 ;;
		esac
	END
}

# multipath_paths
# Prints the block devices in the map.
multipath_paths() {
	local path
	for path in "$ISCSI"/class/block/*/holders/"$MULTIPATH_MAP"; do
		[[ ! -e $path ]] || echo "/dev/$(basename "${path%/holders/*}")"
	done
}
