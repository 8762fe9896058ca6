# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Loop devices are the machine's, and other tests' too.

# loop_detach <loop device> <directory>
# Detaches it if it is over a file there, or over another loop device. One that
# goes may be another test's a moment later: so it is held open, and then looked at.
loop_detach() {
	local fd file=''
	{ exec {fd}<"$1"; } 2>/dev/null || return 0
	read -r file 2>/dev/null <"/sys/block/${1##*/}/loop/backing_file" || :
	[[ $file != "$2"/* && $file != /dev/loop* ]] || losetup -d "$1"
	exec {fd}<&-
}
