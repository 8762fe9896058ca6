#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Many devices at once.

load ../lib/xen.bash
teardown() { e2e_teardown; }

@test "twenty disks and twenty interfaces that are attached at once are all connected, and gone after it" {
	local name letter number=0 attach attaches=()
	guests_destroy
	# More have not enough room in one guest's table of grants.
	guest left 14 'memory=256'
	guest right 15 'memory=256'
	for letter in {b..k}; do
		number=$((number + 1))
		for name in left right; do
			image "$name-$letter"
			xl block-attach "$name" "$image,raw,xvd$letter,w" &
			attaches+=($!)
			xl network-attach "$name" bridge=xenbr0 devid="$number" &
			attaches+=($!)
		done
	done
	for attach in "${attaches[@]}"; do
		wait "$attach"
	done
	for name in left right; do
		within 60 all_connected "$(xl domid "$name")"
		within 60 all_written "$name"
		xl destroy "$name"
	done
	same_residue ''
}

# all_connected <domid>
# Both ends' drivers say so; and of interfaces, the script too.
all_connected() {
	local home=/local/domain/0/backend device interfaces blocks
	mapfile -t interfaces < <(xenstore-list "$home/vif/$1")
	mapfile -t blocks < <(xenstore-list "$home/vbd/$1")
	((${#interfaces[@]} == 11 && ${#blocks[@]} == 11)) || return
	for device in "${interfaces[@]}"; do
		has_node "$home/vif/$1/$device/hotplug-status" connected || return
		has_node "$home/vif/$1/$device/state" 4 || return
		is_port "vif$1.$device" || return
	done
	for device in "${blocks[@]}"; do
		has_node "$home/vbd/$1/$device/state" 4 || return
	done
}

# has_node <path> <value>
has_node() {
	[[ $(xenstore-read "$1") == "$2" ]]
}

# all_written <guest>
all_written() {
	local letter
	for letter in {b..k}; do
		has_sector "$E2E_WORK/$1-$letter.img" "$1" "xvd$letter" || return
	done
}
