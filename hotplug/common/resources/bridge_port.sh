# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An interface as a port of a Linux bridge.

# shellcheck source=interface.sh
resource_find interface

# A bridge takes the lowest MAC address of its ports as its own. This is the
# highest unicast address, so the bridge never takes it.
bridge_port_mac=fe:ff:ff:ff:ff:ff

bridge_port_shown=8 # how many bridges a message names

# bridge_port_acquire <interface> <bridge, or empty for the only one> <mtu, or empty for the bridge's> [VLANs]
# Sets mtu to the port's. With VLANs, the port goes up only after these are set,
# so that no frame of the guest gets into another VLAN.
bridge_port_acquire() {
	local bridge=$2 up=' up'
	bridge_port_find bridge
	[[ ! ${4-} ]] || bridge_port_filters "$bridge" "$4"
	[[ ! ${4-} ]] || up=''
	mtu=$3
	[[ $mtu ]] || read -r mtu 2>/dev/null <"/sys/class/net/$bridge/mtu" ||
		fail "The bridge '$bridge' vanished during the attach of $1; create it again, then attach the interface again."
	interface_takes_mtu "$1" "$mtu"
	interface_remember "$1"
	run_with "link set dev $1 down
		link set dev $1 address $bridge_port_mac mtu $mtu
		address flush dev $1
		link set dev $1 master $bridge$up
" ip -batch - || fail "Cannot make $1 a port of the bridge $bridge (MTU $mtu): $reason"
	[[ $up ]] || bridge_port_set_vlans "$1" "$4"
}

# bridge_port_plan <interface> <bridge> <mtu> [VLANs]
bridge_port_plan() {
	local bridge=$2
	bridge_port_find bridge
	[[ ! ${4-} ]] || bridge_port_filters "$bridge" "$4"
}

# bridge_port_release <interface> <bridge> <mtu> [VLANs]
# The bridge may be gone; the interface may be gone, or its name reused.
bridge_port_release() {
	interface_is_ours "$1" || return 0
	run ip link set dev "$1" down nomaster || ! interface_is_ours "$1"
}

# bridge_port_check <interface> <bridge> <mtu> [VLANs]
bridge_port_check() {
	local bridge=$2
	# Without bridge=, the host had one bridge at the attach, and may have more now.
	[[ $bridge ]] || [[ -e /sys/class/net/$1/brport ]] || reason="$1 is not a port of a bridge."
	bridge_port_translate bridge
	[[ ! $bridge || -e /sys/class/net/$bridge/brif/$1 ]] || reason="$1 is not a port of the bridge $bridge."
	[[ ! $reason ]]
}

# bridge_port_find <in-out-var>
# Resolves the bridge's name; fails if there is no such bridge.
bridge_port_find() {
	local -n bridge_port_found=$1
	[[ $bridge_port_found ]] || bridge_port_only bridge_port_found
	bridge_port_translate bridge_port_found
	[[ -e /sys/class/net/$bridge_port_found ]] || bridge_port_missing "$bridge_port_found"
	[[ -d /sys/class/net/$bridge_port_found/bridge ]] ||
		fail "'$bridge_port_found' is not a Linux bridge; correct bridge= in the guest's configuration, or use script=vif-openvswitch if it is one of Open vSwitch."
}

# bridge_port_missing <bridge>
# Fails. libxl passes xl.conf's default if the configuration names no bridge.
bridge_port_missing() {
	local bridges more
	bridge_port_list
	((${#bridges[@]})) || fail "The bridge '$1' does not exist, and this host has no other; create it (ip link add $1 type bridge)."
	more=$((${#bridges[@]} - bridge_port_shown))
	((more <= 0)) || bridges=("${bridges[@]:0:bridge_port_shown}" "and $more more")
	fail "The bridge '$1' does not exist; create it (ip link add $1 type bridge), or set bridge= or xl.conf's vif.default.bridge to one of: ${bridges[*]}."
}

# bridge_port_list
# Sets bridges (declared by the caller) to this host's bridges.
bridge_port_list() {
	bridges=(/sys/class/net/*/bridge)
	bridges=("${bridges[@]%/bridge}")
	bridges=("${bridges[@]##*/}")
	[[ ${bridges[0]} != '*' ]] || bridges=()
}

# bridge_port_only <out-var>
bridge_port_only() {
	local bridges
	bridge_port_list
	((${#bridges[@]})) ||
		fail 'This host has no bridge; create one (ip link add xenbr0 type bridge).'
	((${#bridges[@]} == 1)) ||
		fail "This host has several bridges (${bridges[*]}) and the guest's configuration names none; add bridge= to it."
	printf -v "$1" '%s' "${bridges[0]}"
}

# bridge_port_translate <in-out-var>
# Configurations from Xen 3 name a bridge xenbrN that is now called ethN.
bridge_port_translate() {
	local name=${!1}
	[[ $name == xenbr* && ! -e /sys/class/net/$name ]] || return 0
	[[ ! -d /sys/class/net/eth${name#xenbr}/bridge ]] || printf -v "$1" '%s' "eth${name#xenbr}"
}

# bridge_port_filters <bridge> <VLANs>
# Fails if the bridge does not filter VLANs.
bridge_port_filters() {
	local filters=0
	parameters_check_tool bridge
	parameters_check 'Parameter vlan' "$2" vlans
	read -r filters 2>/dev/null <"/sys/class/net/$1/bridge/vlan_filtering" || :
	((filters == 1)) ||
		fail "The bridge '$1' does not filter VLANs, which vlan=$2 needs; switch it on (ip link set $1 type bridge vlan_filtering 1), or remove vlan=."
}

# bridge_port_set_vlans <interface> <VLANs, parsed by bridge_port_filters>
# Removes all others first, because the bridge gives a new port its
# vlan_default_pvid.
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
