# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The device's nodes: read once at the start, written once at the end.

declare -gA store_value # node, relative to the backend's path -> its value; absent ones are not there

# store_load <node>...
# Reads the nodes over one connection; for an attach or a detach, after taking
# the device's lock.
# Result: store_value. On failure the helper's status, with reason set:
# lock_missing, or another one, with which the lock is held.
store_load() {
	local store_node store_at=0 store_lock=()
	[[ $action != @(attach|detach) ]] || store_lock=(--wait "$lock_wait" --lock "$lock_descriptor:$device_id")
	helper load "${store_lock[@]}" "$XENBUS_PATH" "$@" || return
	for store_node; do
		case ${run_reply[store_at]} in
		=*) store_value[$store_node]=${run_reply[store_at]#=} ;;
		-) ;;
		*)
			reason="Cannot read the node $XENBUS_PATH/$store_node: ${run_reply[store_at]#!}."
			return 1
			;;
		esac
		store_at=$((store_at + 1))
	done
}

# store_accept <node> <what the device is>
# Fails unless the device has the node, and is not about to go.
store_accept() {
	[[ ${store_value[$1]+set} ]] ||
		fail "The node $XENBUS_PATH/$1 does not exist, so there is no such $2; it may just have been detached, so attach it again."
	[[ $action == detach || ${store_value[state]-} != [56] ]] ||
		fail "The $2 $device_id is being detached (state ${store_value[state]}), so it was not attached."
}

# store_publish <log line> <item>...
# Writes all items in one transaction, or none: KEY=VALUE; KEY alone removes
# it; a ? before it leaves out what the store does not let us write.
store_publish() {
	local line=$1
	shift
	[[ ! ${store_value["hotplug-error"]+set} ]] || set -- "$@" hotplug-error
	helper publish --log "$line" "$XENBUS_PATH" "$@" || fail "$reason"
}
