# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A disk (vbd): what libxl calls, which nodes it writes, what blkback waits for.
# The contract: xen.git, docs/misc/block-scripts.txt and tools/libs/light/libxl_disk.c.

# The script has, besides its parameters:
mode=''   # r, w or w!
target='' # where it declares a target

# And its resources leave:
dev=''             # the block device's path; of a vbd3 a socket's
physical_device='' # its major:minor in hexadecimal; empty for a vbd3

# block_identify
# Sets what lifecycle_identify sets, for a disk.
block_identify() {
	local IFS='|'
	lifecycle_identify "${device_types[*]:-vbd}"
}

# block_action
# Sets action from verb.
block_action() {
	case $verb in
	add) action=attach ;;
	remove) action=detach ;;
	check | plan) action=$verb ;;
	*)
		quote verb "$verb"
		fail "$hotplug_name was called with $verb; libxl calls it with add or remove, a person with check, plan or help."
		;;
	esac
}

# block_load
# Reads the nodes; on failure the helper's status, with reason set.
block_load() {
	local published=physical-device
	[[ $type == vbd ]] || published+=-path
	store_load frontend-id state params mode "$published" node hotplug-error
}

# block_accept
# Checks the nodes that every disk has.
block_accept() {
	local state
	[[ ${store_value[params]+set} ]] ||
		fail "The node $XENBUS_PATH/params does not exist, so there is no such disk; it may have been detached meanwhile, attach it again."
	store_get state state
	[[ $action == detach || $state != [56] ]] ||
		fail "The disk $device_id is being detached (state $state), so it was not attached."
	store_get mode mode
	parameters_check 'The access mode' "$mode" mode
	mode=${mode/ro/r}
	mode=${mode/rw/w}
}

# block_attached
# The backend takes one of these once and keeps it; who calls again finds all done.
block_attached() {
	[[ ${store_value["physical-device"]-}${store_value["physical-device-path"]-} ]]
}

# block_parameters
# The target is one value, or a list of parameters.
block_parameters() {
	# Some versions of xl leave the prefix that chose the script.
	local params=${store_value[params]#"${hotplug_name#block-}":}
	if [[ $target_type ]]; then
		parameters_check 'The target' "$params" "$target_type"
		target=$params
	else
		library parameter_list
		parameter_list_take "$params"
	fi
}

# block_publish
# physical-device makes blkback connect, physical-device-path is what QEMU,
# pygrub and tapback (vbd3) read, node is what other scripts detach by. A vbd3
# has no number: its backend would take it for its own.
block_publish() {
	local items=("node=$dev" "physical-device-path=$dev")
	[[ ! $physical_device ]] || items+=("physical-device=$physical_device")
	store_publish "$hotplug_name: $verb of $device_id done: ${dev@Q} for domain $domid, mode $mode." \
		"${items[@]}" hotplug-status=connected
}

# block_unpublish
# What makes blkback connect, and others take the disk for attached, goes again.
block_unpublish() {
	helper publish --deadline 3 "$XENBUS_PATH" node physical-device-path physical-device
}

# block_help
# Says what the parameters, which are printed behind it, are part of.
block_help() {
	printf 'The target of a disk with script=%s is ' "$hotplug_name"
	if [[ $target_type ]]; then
		printf 'one value:\n'
	else
		printf 'a list, name=value,name=value, of:\n'
	fi
}
