# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The subcommands of xen-hotplug for people. Sourced by bats files, after host.bash.

# people <subcommand> [argument]...
# Runs it in the test's host. Loop devices are the machine's: it sees those of this test
# alone.
people() {
	local loop status=0
	while read -r loop _; do
		printf ' %d %d 1024 %s\n' "0x$(stat -c %t "$loop")" "0x$(stat -c %T "$loop")" "${loop#/dev/}"
	done < <(host_loops) >"$BATS_TEST_TMPDIR/partitions"
	host mount --bind "$BATS_TEST_TMPDIR/partitions" /proc/partitions
	host "${people_under[@]}" "$(realpath "$scripts/../../helpers/xen-hotplug")" "$@" || status=$?
	host umount /proc/partitions
	return "$status"
}

people_under=() # the command under which it runs

# three_guests
# A host with a disk of guest 1, an interface of guest 2, both attached by our scripts,
# and a disk of guest 3 that others have attached.
three_guests() {
	domain 1
	domain 2
	domain 3
	bridge xenbr0
	image disk.img
	vbd 1 51712 "$image"
	block_add 1 51712
	vif 2 0 bridge xenbr0
	online 2 0
	vbd 3 51712 /dev/null hotplug-status connected physical-device 1:3 script /etc/xen/scripts/block
}

# many_guests <number>
# So many guests with a disk each that our script has attached, as far as the store and
# /run tell. Their block device is that of phy_device.
many_guests() {
	local boot domid nodes=() number
	read -r boot </proc/sys/kernel/random/boot_id
	number=$(stat -c %t:%T "$phy")
	mkdir -p "$BATS_TEST_TMPDIR/run/xen-hotplug"
	for ((domid = 1; domid <= $1; domid++)); do
		nodes+=("/local/domain/$domid/name" "guest$domid")
		local path=backend/vbd/$domid/51712
		nodes+=("$path/frontend" "/local/domain/$domid/device/vbd/51712" "$path/frontend-id" "$domid" "$path/state" 4 "$path/hotplug-status" connected "$path/params" "$phy"
			"$path/physical-device" "$number" "$path/dev" xvda "$path/mode" w "$path/script" "$scripts/block")
		printf '%s\0' format 1 2 '' attach 3 "$boot" "$scripts/block" 1790000000 '' use 3 disk "$phy" w '' \
			note 6 kind device device "$phy" number "$number" '' published 2 "$phy" "$number" '' \
			>"$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-$domid-51712"
		((domid % 50)) || {
			store_set "${nodes[@]}"
			nodes=()
		}
	done
	((${#nodes[@]} == 0)) || store_set "${nodes[@]}"
}
