# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Other guests of a host: their disks in the store, or served by QEMU, and their
# interfaces with filters. Their domids begin at 1000. Needs host and root of ../lib/host.bash.

# other_guests <number>
# Prints the nodes of that many guests with a disk each, as the store has them
# once blkback is connected: the input of mock-xenstored --load. Their disks are
# no devices of this machine.
other_guests() {
	local guest
	for ((guest = 1000; guest < 1000 + $1; guest++)); do
		other_guest "$guest" "/local/domain/0/backend/vbd/$guest/51712"
	done
}

# other_guest <domid> <path>
other_guest() {
	printf '%s %s\n' "/local/domain/$1/vm" "/vm/00000000-0000-0000-0000-$1" "/local/domain/$1/name" "guest$1" \
		"/local/domain/$1/domid" "$1" "$2/frontend" "/local/domain/$1/device/vbd/51712" \
		"$2/frontend-id" "$1" "$2/online" 1 "$2/state" 4 "$2/script" /etc/xen/scripts/block \
		"$2/params" "/dev/guests/disk$1" "$2/mode" w "$2/type" phy "$2/dev" xvda "$2/device-type" disk \
		"$2/removable" 0 "$2/bootable" 1 "$2/physical-device-path" "/dev/guests/disk$1" \
		"$2/hotplug-status" connected
	printf '%s fe:%x\n' "$2/physical-device" "$1"
}

# other_servers <number>
# Starts that many processes which stand for QEMU in this namespace of processes, each with
# an image, and 20 descriptors besides; and writes the nodes of the guests that they serve.
other_servers() {
	local guest here=$BATS_TEST_TMPDIR nodes=()
	cp "$(type -P sleep)" "$here/qemu-system-i386"
	for ((guest = 1000; guest < 1000 + $1; guest++)); do
		truncate -s 1M "$here/$guest.img"
		(
			exec {fd}<>"$here/$guest.img"
			for _ in {1..20}; do exec {fd}</dev/null; done
			exec "$here/qemu-system-i386" infinity
		) >/dev/null 2>&1 &
		nodes+=("/local/domain/$guest/image/device-model-pid" "$!" "device-model/$guest/state" running
			"backend/qdisk/$guest/51712/params" "raw:$here/$guest.img" "backend/qdisk/$guest/51712/mode" w)
	done
	printf '%s\0' "${nodes[@]}" | xargs -0 -n 12 xenstore-write
}

# crowd <number>
# Makes that many other guests' interfaces, ports of xenbr0, each with the
# filter that our vif-bridge gives a guest with an address of either family.
crowd() {
	local guest
	for ((guest = 1000; guest < 1000 + $1; guest++)); do
		printf 'link add vif%s.0 type veth peer name guest%s.0\nlink set vif%s.0 master xenbr0 up\n' "$guest" "$guest" "$guest"
	done | host ip -batch -
	crowd_rules "$1" >"$BATS_TEST_TMPDIR/crowd"
	host nft -f - <"$BATS_TEST_TMPDIR/crowd"
}

# crowd_rules <number>
# Prints the rules that our scripts give nft for them.
crowd_rules() {
	# shellcheck disable=SC2016 # the inner shell expands
	bash -c '
		hotplug_common=$1 hotplug_seconds=24 hotplug_undo=""
		. "$hotplug_common/framework.sh"
		resource_find address_filter
		. "$hotplug_common/lib/address_filter_rules.sh"
		for ((guest = 1000; guest < 1000 + $2; guest++)); do
			chain=vif$guest.0
			printf -v mac "00:16:3e:01:%02x:%02x" $((guest / 256)) $((guest % 256))
			address_filter_rules_make "$chain" "$chain" "$mac" "10.1.$((guest / 256)).$((guest % 256)) fd00::$guest"
			printf "%s" "$address_filter_rules_create"
		done
	' - "$root/hotplug/common" "$1"
}
