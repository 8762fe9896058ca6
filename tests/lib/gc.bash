# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Stale devices, and xen-hotplug gc. Sourced by bats files, after host.bash.

# gc [option]...
# Runs it. Loop devices are the machine's, and their tags name devices that this test's
# store does not have: it sees those of this test alone.
gc() {
	local loop list=$BATS_TEST_TMPDIR/loops status=0 over=(/proc/partitions)
	rm -rf "$list"
	mkdir "$list"
	while read -r loop _; do
		printf ' %d %d 1024 %s\n' "0x$(stat -c %t "$loop")" "0x$(stat -c %T "$loop")" "${loop#/dev/}"
		ln -s "/sys/devices/virtual/block/${loop#/dev/}" "$list"
	done < <(host_loops) >"$BATS_TEST_TMPDIR/partitions"
	host mount --bind "$BATS_TEST_TMPDIR/partitions" /proc/partitions
	if host mountpoint -q /sys/block; then # nbd_start's, whose NBD devices go while gc runs
		host find /sys/block -name 'loop*' -delete
	else
		host mount --bind "$list" /sys/block
		over+=(/sys/block)
	fi
	host "${gc_under[@]}" "$(realpath "$scripts/../../helpers/xen-hotplug")" gc "$@" || status=$?
	host umount "${over[@]}"
	return "$status"
}

gc_under=() # the command under which it runs

# stale <domid> [type]...
# The guest is gone, and libxl has called no script: its nodes are deleted, and the
# kernel has removed its interfaces.
stale() {
	local type link
	for type in "${@:2}"; do
		! store_has "backend/$type/$1" || xenstore-rm "backend/$type/$1" || return
	done
	for link in "$host_root/sys/class/net/vif$1."*; do
		[[ ! -e $link ]] || host ip link del "${link##*/}"
	done
	xenstore-rm "/local/domain/$1"
}

# boot_again
# What the host's next boot would look like to the scripts, with a /run that was kept.
boot_again() {
	uuidgen >"$BATS_TEST_TMPDIR/boot_id"
	host mount --bind "$BATS_TEST_TMPDIR/boot_id" /proc/sys/kernel/random/boot_id
}

# own_script <script> [line]
# Makes a user's own script of standard input, with this line before that of the framework.
own_script() {
	{
		printf '#!/bin/bash -p\n%s\n. %q/hotplug.sh\n' "${2-}" "$scripts"
		cat
	} | program "$1"
}

# stale_own <script>
# Guest 1 has had the image by its own script, and no detach was called.
stale_own() {
	vbd 1 51712 "$image"
	host env XENBUS_PATH=backend/vbd/1/51712 "$1" add
	stale 1 vbd
}
