# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A network interface (vif, and the tap device of an HVM guest): libxl's verbs,
# its nodes, and what netback waits for.
# The contract: xen.git, tools/libs/light/libxl_nic.c and libxl_linux.c.

device_verbs='online, offline, add or remove'

# What a script has in addition to its parameters:
: "${vif=}" # the name that the kernel gave the interface; vifD.N-emu for a tap: set by the helper
vifname=''  # the name that it is to get, or empty
mac=''      # the guest's MAC address, or empty
mtu=''      # as configured, or empty; a resource that sets another changes it

# What its resources set:
dev='' # the interface's current name

# What only hooks know by these names:
main_ip='' # this host's IPv4 address on the interface, where a resource sets it
command='' # the verb by which they are called

# vif_publish
# netback connects when hotplug-status is connected. The backend writes the MTU
# node of the frontend, if the store permits it; the emulated interface has no
# nodes.
vif_publish() {
	local items=()
	journal_publish "$dev" ''
	if [[ $type_if == vif ]]; then
		[[ ! $mtu ]] || items+=("?/local/domain/$domid/device/vif/$devid/mtu=$mtu")
		items+=(hotplug-status=connected)
	fi
	store_publish "$hotplug_name: $verb of $device_id done: ${dev@Q} for domain $domid." "${items[@]}"
}

# vif_is_named
# May the nodes that were loaded say that it is attached? Those of a tap never do.
vif_is_named() {
	[[ $type_if == vif && ${store_value["frontend-id"]+set} ]]
}

# vif_unpublish
# Removes the node that makes netback connect. The emulated interface has none.
vif_unpublish() {
	[[ $type_if == tap ]] || helper publish --deadline 3 "$XENBUS_PATH" hotplug-status
}
