# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A disk (vbd): what libxl calls, which nodes it writes, what blkback waits for.
# The contract: xen.git, docs/misc/block-scripts.txt and tools/libs/light/libxl_disk.c.

# The script has, besides its parameters:
mode=''   # r, w or w!
target='' # where it declares a target

# And its resources leave:
dev=''             # the block device's path
physical_device='' # its major:minor in hexadecimal

# block_identify
# Sets what lifecycle_identify sets, for a disk.
block_identify() {
	lifecycle_identify vbd
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
	store_load frontend-id state params mode physical-device node hotplug-error
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
# blkback takes physical-device once and keeps it; who calls again finds all done.
block_attached() {
	[[ ${store_value["physical-device"]-} ]]
}

# block_parameters
# The target is one value, or a list of parameters.
block_parameters() {
	local params=${store_value[params]}
	if [[ $target_type ]]; then
		parameters_check 'The target' "$params" "$target_type"
		target=$params
	else
		# Some versions of xl leave the prefix that chose the script.
		parameters_from_list "${params#"${hotplug_name#block-}":}"
	fi
}

# block_publish
# physical-device makes blkback connect, physical-device-path is what QEMU and
# pygrub read, node is what other scripts detach by.
block_publish() {
	store_publish "$hotplug_name: $verb of $device_id done: ${dev@Q} for domain $domid, mode $mode." \
		"node=$dev" "physical-device-path=$dev" "physical-device=$physical_device" \
		hotplug-status=connected
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
