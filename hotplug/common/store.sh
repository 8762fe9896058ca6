# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The device's nodes: read once at the start, written once at the end.

declare -gA store_value # node, relative to the backend's path -> its value; absent ones are not there
store_refusal=''        # why the device is not accepted; empty: it is
store_refused=''        # the same of its parameters
store_variables=()      # of each variable of the script: name, value, and what to call it where its type is the script's own

# store_load
# Reads the nodes, and has the helper check them and the parameters; for an attach
# or a detach, after taking the device's lock.
# Result: what is above. On failure the helper's status, with reason set:
# lock_missing, or another one, with which the lock is held.
store_load() {
	local store_at store_end store_options=(--device "$device_id" --script "$hotplug_name")
	[[ $action != @(attach|detach) ]] || store_options+=(--wait "$lock_wait" --lock "$lock_descriptor")
	[[ $action != detach ]] || store_options+=(--detach)
	[[ $type != vif ]] || store_options+=("--$type_if" "$vif")
	helper accept "${store_options[@]}" -- "$XENBUS_PATH" "${parameters_declared[@]}" || return
	store_refusal=${run_reply[0]} store_refused=${run_reply[1]} store_end=$((3 + run_reply[2]))
	store_variables=("${run_reply[@]:store_end}") store_value=()
	for ((store_at = 3; store_at < store_end; store_at += 2)); do
		store_value[${run_reply[store_at]}]=${run_reply[store_at + 1]}
	done
}

# store_accept
# Fails where the device is not accepted: it is about to go, or a node that each device
# of its kind has is missing or wrong.
store_accept() {
	[[ ! $store_refusal ]] || fail "$store_refusal"
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
