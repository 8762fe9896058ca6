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
		store_take "$store_node" "${run_reply[store_at++]}" || return
	done
}

# store_take <node> <field>
# One field of the helper's answer: =value, - for an absent node, !reason.
store_take() {
	case $2 in
	=*) store_value[$1]=${2#=} ;;
	-) ;;
	*)
		reason="Cannot read the node $XENBUS_PATH/$1: ${2#!}."
		return 1
		;;
	esac
}

# store_get <out-var> <node> [default]
# The value of a node that store_load was asked for; one that is absent has
# the default. An empty node is a value.
store_get() {
	printf -v "$1" '%s' "${store_value[$2]-${3-}}"
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
