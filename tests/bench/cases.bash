# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What is measured: kinds of device, with the script of each, what libxl calls
# it with, and who is measured beside ours: a floor, or the further tools. How
# each kind is before an attach (fresh_KIND), and how one sees that a script did
# its work (verify_KIND_attached, verify_KIND_detached), is in interfaces.bash
# and disks.bash; for guest 1, in a burst for others, too.

declare -A kind_script=([vif]=vif-bridge [ip]=vif-bridge [route]=vif-route [nat]=vif-nat [ovs]=vif-openvswitch
	[image]=block [device]=block [dummy]=block-dummy [shared]=block-shared [iscsi]=block-iscsi [drbd]=block-drbd
	[probe]=block-drbd-probe [nbd]=block-nbd [qcow2]=block-qcow2 [overlay]=block-overlay [tap]=block-tap)
declare -A kind_type kind_devid kind_attach kind_detach
for kind in "${!kind_script[@]}"; do
	kind_type[$kind]=vbd kind_devid[$kind]=51712 kind_attach[$kind]=add kind_detach[$kind]=remove
done
for kind in vif ip route nat ovs; do
	kind_type[$kind]=vif kind_devid[$kind]=0 kind_attach[$kind]=online kind_detach[$kind]=offline
done
unset kind
kind_type[tap]=vbd3
kind_attach[probe]=probe kind_detach[probe]='' # one call, of a device
declare -A kind_beside=([vif]=floor [ip]=tools [route]=tools [nat]=tools [ovs]=tools
	[image]=floor [device]=floor [dummy]='' [shared]='' [iscsi]=tools [drbd]=tools
	[probe]=tools [nbd]=tools [qcow2]=tools [overlay]=tools [tap]=tools)

# forget_nodes <path>
# Removes a node with all below it, if there is one.
forget_nodes() {
	! store_has "$1" || xenstore-rm "$1"
}

# forget_device <kind> <domid>
# What the toolstack removes once the device is detached.
forget_device() {
	forget_nodes "backend/${kind_type[$1]}/$2"
	forget_nodes "/local/domain/$2/device"
}

# verify_connected <path>
verify_connected() {
	local status
	status=$(store_get "$1/hotplug-status") || status='not there'
	[[ $status == connected ]] || abort "$1/hotplug-status is '$status'"
}
