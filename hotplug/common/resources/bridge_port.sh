# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An interface as a port of a Linux bridge.

# shellcheck source=interface.sh
resource_find interface

# The port must not have the lowest address on the bridge, or the bridge would
# take it as its own; this is the highest that is not a group's.
bridge_port_mac=fe:ff:ff:ff:ff:ff

# bridge_port_acquire <interface> <bridge, or empty for the only one> <mtu, or empty for the bridge's>
# Sets mtu to what the port has.
bridge_port_acquire() {
	local bridge=$2
	bridge_port_find bridge
	mtu=$3
	[[ $mtu ]] || read -r mtu <"/sys/class/net/$bridge/mtu"
	interface_remember "$1"
	run_with "link set dev $1 down
		link set dev $1 address $bridge_port_mac mtu $mtu
		address flush dev $1
		link set dev $1 master $bridge up
" ip -batch - ||
		fail "Cannot make $1 a port of the bridge $bridge (MTU $mtu): $reason"
}

# bridge_port_plan <interface> <bridge> <mtu>
bridge_port_plan() {
	local bridge=$2
	bridge_port_find bridge
}

# bridge_port_release <interface> <bridge> <mtu>
# The bridge may be gone; the interface, or its name, may be somebody else's by now.
bridge_port_release() {
	interface_is_ours "$1" || return 0
	run ip link set dev "$1" down nomaster || ! interface_is_ours "$1"
}

# bridge_port_check <interface> <bridge> <mtu>
bridge_port_check() {
	local bridge=$2 index number
	bridge_port_find bridge
	[[ -e /sys/class/net/$bridge/brif/$1 ]] || reason="$1 is not a port of the bridge $bridge."
	[[ ! $reason ]]
}

# bridge_port_find <in-out-var>
# The bridge that is meant, or a sentence why there is none.
bridge_port_find() {
	local -n bridge_port_found=$1
	[[ $bridge_port_found ]] || bridge_port_only bridge_port_found
	bridge_port_translate bridge_port_found
	[[ -e /sys/class/net/$bridge_port_found ]] ||
		fail "The bridge '$bridge_port_found' does not exist; create it (ip link add $bridge_port_found type bridge), or correct bridge= in the guest's configuration."
	[[ -d /sys/class/net/$bridge_port_found/bridge ]] ||
		fail "'$bridge_port_found' is not a Linux bridge; correct bridge= in the guest's configuration, or use script=vif-openvswitch if it is one of Open vSwitch."
}

# bridge_port_only <out-var>
bridge_port_only() {
	local bridges=(/sys/class/net/*/bridge)
	bridges=("${bridges[@]%/bridge}")
	bridges=("${bridges[@]##*/}")
	[[ ${bridges[0]} != '*' ]] ||
		fail 'This host has no bridge; create one (ip link add xenbr0 type bridge).'
	((${#bridges[@]} == 1)) ||
		fail "This host has several bridges (${bridges[*]}) and the guest's configuration names none; add bridge= to it."
	printf -v "$1" '%s' "${bridges[0]}"
}

# bridge_port_translate <in-out-var>
# Configurations from the time of Xen 3 say xenbrN for a bridge that is ethN.
bridge_port_translate() {
	local name=${!1}
	[[ $name == xenbr* && ! -e /sys/class/net/$name ]] || return 0
	[[ ! -d /sys/class/net/eth${name#xenbr}/bridge ]] || printf -v "$1" '%s' "eth${name#xenbr}"
}
