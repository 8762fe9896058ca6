# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An interface as a port of a Linux bridge.

# shellcheck source=interface.sh
resource_find interface

# The port must not have the lowest address on the bridge, or the bridge would
# take it as its own; this is the highest that is not a group's.
bridge_port_mac=fe:ff:ff:ff:ff:ff

# bridge_port_acquire <interface> <bridge, or empty for the only one> <mtu, or empty for the bridge's> [VLANs]
# Sets mtu to what the port has. With VLANs it goes up when it has these, so
# that nothing of the guest gets into others.
bridge_port_acquire() {
	local bridge=$2 up=' up'
	bridge_port_find bridge
	[[ ! ${4-} ]] || bridge_port_filters "$bridge" "$4"
	[[ ! ${4-} ]] || up=''
	mtu=$3
	[[ $mtu ]] || read -r mtu <"/sys/class/net/$bridge/mtu"
	interface_remember "$1"
	run_aside "Cannot make $1 a port of the bridge $bridge (MTU $mtu)" "link set dev $1 down
		link set dev $1 address $bridge_port_mac mtu $mtu
		address flush dev $1
		link set dev $1 master $bridge$up
" '' ip -batch -
	[[ $up ]] || bridge_port_set_vlans "$1" "$4"
}

# bridge_port_plan <interface> <bridge> <mtu> [VLANs]
bridge_port_plan() {
	local bridge=$2
	bridge_port_find bridge
	[[ ! ${4-} ]] || bridge_port_filters "$bridge" "$4"
}

# bridge_port_release <interface> <bridge> <mtu> [VLANs]
# The bridge may be gone; the interface, or its name, may be somebody else's by now.
bridge_port_release() {
	interface_is_ours "$1" || return 0
	run ip link set dev "$1" down nomaster || ! interface_is_ours "$1"
}

# bridge_port_check <interface> <bridge> <mtu> [VLANs]
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

# bridge_port_filters <bridge> <VLANs>
# Fails where the bridge would not keep VLANs apart.
bridge_port_filters() {
	local filters=0
	parameters_check_tool bridge
	parameters_check 'Parameter vlan' "$2" vlans
	read -r filters 2>/dev/null <"/sys/class/net/$1/bridge/vlan_filtering" || :
	((filters == 1)) ||
		fail "The bridge '$1' does not filter VLANs, so that the guest cannot have vlan=$2; switch it on (ip link set $1 type bridge vlan_filtering 1), or leave vlan= out of the guest's configuration."
}

# bridge_port_set_vlans <interface> <VLANs, as bridge_port_filters took them>
# These and no others: the bridge gave the port one of its own (vlan_default_pvid).
bridge_port_set_vlans() {
	local range batch="vlan del dev $1 vid 1-4094"
	for range in "${vlans_untagged[@]}"; do
		batch+=$'\n'"vlan add dev $1 vid $range untagged"
		[[ $range != "$vlans_pvid" ]] || batch+=' pvid'
	done
	for range in "${vlans_tagged[@]}"; do
		batch+=$'\n'"vlan add dev $1 vid $range"
	done
	run_with "$batch"$'\n' bridge -batch - || fail "Cannot give $1 the VLANs $2: $reason"
	run ip link set dev "$1" up || fail "Cannot start $1: $reason"
}
