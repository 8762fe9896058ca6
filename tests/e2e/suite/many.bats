#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Many devices at once.

load ../lib/xen.bash
teardown() { e2e_teardown; }

@test "twenty disks and twenty interfaces that are attached at once are all connected, and gone after it" {
	local -a images disks vifs
	local i letter
	guests_destroy
	for i in {1..20}; do
		image "many-$i"
		images+=("$image")
		printf -v letter '\\%o' $((96 + i))
		# shellcheck disable=SC2059 # the format is the letter
		printf -v letter "$letter"
		disks+=("'$image,raw,xvd$letter,w'")
		vifs+=("'bridge=xenbr0'")
	done
	# Each disk's driver in the guest keeps some 4 MB, and a grant for each page.
	guest_config many 14 'memory=512' 'max_grant_frames=128' "disk=[$(commas "${disks[@]}")]" "vif=[$(commas "${vifs[@]}")]"
	xl create "$E2E_WORK/many.cfg"
	guest_answers 10.9.0.14
	within 60 all_connected "$(xl domid many)"
	for i in {1..20}; do
		within 60 written "${images[i - 1]}"
	done
	xl destroy many
	same_residue ''
}

# commas <item>...
commas() {
	local IFS=,
	printf '%s' "$*"
}

# all_connected <domid>
# Both ends' drivers say so; and of interfaces, the script too.
all_connected() {
	local home=/local/domain/0/backend device interfaces blocks
	mapfile -t interfaces < <(xenstore-list "$home/vif/$1")
	mapfile -t blocks < <(xenstore-list "$home/vbd/$1")
	((${#interfaces[@]} == 20 && ${#blocks[@]} == 20)) || return
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

# written <image>
written() {
	[[ $(head -n 1 -- "$1" | tr -d '\0') == 'guest many, disk xvd'? ]]
}
