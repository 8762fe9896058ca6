# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A stand-in for dmsetup, for kernels without device-mapper: it takes what
# block-overlay asks for and refuses what the kernel would. A mapping is its
# second device under another name, /dev/dm-N; as udev is busy, it never has one
# in /dev/mapper. Sourced by bats files, after host.bash.

# dmsetup_start
# In the test's host; bin is to be first in PATH.
dmsetup_start() {
	export DMSETUP_LOG=$BATS_TEST_TMPDIR/dmsetup.log
	mkdir "$BATS_TEST_TMPDIR/bin"
	host mount -t tmpfs none /sys/class/block
	with_settings DMSETUP_LOG <<-'END' | program "$BATS_TEST_TMPDIR/bin/dmsetup"
		#!/bin/bash
		set -Eeuo pipefail
		printf '%s\n' "$*" >>"$DMSETUP_LOG"
		refuse() { echo "device-mapper: $1" >&2; exit 1; }
		create() {
			local zero sectors kind base cow store chunk magic=''
			[[ $2 == --noudevsync && $3 == --table && $# == 4 ]] || refuse "usage: $*"
			read -r zero sectors kind base cow store chunk <<<"$4"
			[[ "$zero $kind $chunk" == '0 snapshot 8' && $store == [PN] ]] || refuse "table $4"
			[[ $sectors == "$(blockdev --getsz "$base")" ]] || refuse "reload ioctl failed: the origin is not that large"
			(($(blockdev --getsz "$cow") > sectors)) || refuse 'reload ioctl failed: the store is too small'
			! cat /sys/class/block/dm-*/dm/name 2>/dev/null | grep -qxF -- "$1" || refuse "create ioctl on $1 failed: Device or resource busy"
			IFS= read -r -d '' -n 4 magic <"$cow" || :
			[[ $store == N || ! $magic || $magic == SnAp ]] || refuse 'reload ioctl failed: Invalid or corrupt snapshot'
			[[ $store == N ]] || printf SnAp 1<>"$cow"
			echo "/dev/dm-9$$" >>"$DMSETUP_LOG.nodes"
			mknod "/dev/dm-9$$" b $(stat -c '0x%t 0x%T' "$cow")
			mkdir -p "/sys/class/block/dm-9$$/dm"
			echo "$1" >"/sys/class/block/dm-9$$/dm/name"
		}
		remove() {
			[[ $1 == --deferred && $# == 2 ]] || refuse "usage: $*"
			local file name
			for file in /sys/class/block/dm-*/dm/name; do
				[[ -e $file ]] && read -r name <"$file" && [[ $name == "$2" ]] || continue
				file=${file%/dm/name}
				rm -f "/dev/${file##*/}"
				rm -r "$file"
				return
			done
			refuse "remove ioctl on $2 failed: No such device or address"
		}
		"$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# dmsetup_stop
# For teardown, after host_stop: /dev is the machine's.
dmsetup_stop() {
	[[ ! -e $DMSETUP_LOG.nodes ]] || xargs rm -f <"$DMSETUP_LOG.nodes"
}

# mappings
# Their names, a line each.
mappings() {
	host find /sys/class/block -name name -exec cat {} +
}
