# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A stand-in for dmsetup, for kernels without device-mapper: it takes what
# block-overlay asks for and refuses what the kernel would. A mapping is its
# second device under another name. Sourced by bats files, after host.bash.

# dmsetup_start
# In the test's host; bin is to be first in PATH.
dmsetup_start() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	host mount -t tmpfs none /dev/mapper
	host mount -t tmpfs none /sys/class/block
	cat >"$BATS_TEST_TMPDIR/bin/dmsetup" <<-'END'
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
			[[ ! -e /dev/mapper/$1 ]] || refuse "create ioctl on $1 failed: Device or resource busy"
			IFS= read -r -d '' -n 4 magic <"$cow" || :
			[[ $store == N || ! $magic || $magic == SnAp ]] || refuse 'reload ioctl failed: Invalid or corrupt snapshot'
			[[ $store == N ]] || printf SnAp 1<>"$cow"
			mkdir -p "/sys/class/block/dm-$$/dm"
			echo "$1" >"/sys/class/block/dm-$$/dm/name"
			mknod "/dev/mapper/$1" b $(stat -c '0x%t 0x%T' "$cow")
		}
		remove() {
			[[ $1 == --deferred && $# == 2 ]] || refuse "usage: $*"
			local file name
			for file in /sys/class/block/dm-*/dm/name; do
				[[ -e $file ]] && read -r name <"$file" && [[ $name == "$2" ]] || continue
				rm -f "/dev/mapper/$2"
				rm -r "${file%/dm/name}"
				return
			done
			refuse "remove ioctl on $2 failed: No such device or address"
		}
		"$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/dmsetup"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH DMSETUP_LOG=$BATS_TEST_TMPDIR/dmsetup.log
}

# mappings
# Their names, a line each.
mappings() {
	host find /sys/class/block -name name -exec cat {} +
}
