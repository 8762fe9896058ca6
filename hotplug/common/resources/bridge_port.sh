# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An interface as a port of a Linux bridge.

# shellcheck source=interface.sh
resource_find interface

# A bridge takes the lowest MAC address of its ports as its own. This is the
# highest unicast address, so the bridge never takes it.
bridge_port_mac=fe:ff:ff:ff:ff:ff

bridge_port_shown=8 # how many bridges a message names

bridge_port_bridge=''  # set by bridge_port_find and bridge_port_translate: the bridge's name
bridge_port_bridges=() # set by bridge_port_list: this host's bridges
bridge_port_mtu=''     # set by bridge_port_read: the bridge's MTU

bridge_port_arguments='INTERFACE BRIDGE MTU'

# bridge_port_acquire <interface> <bridge, or empty for the only one> <mtu, or empty for the bridge's> [VLANs]
# Sets mtu to the port's. With VLANs, the port goes up only after these are set,
# so that no frame of the guest gets into another VLAN.
bridge_port_acquire() {
	local bridge up=' up' keep=''
	bridge_port_find "$2"
	bridge=$bridge_port_bridge
	[[ ! ${4-} ]] || bridge_port_filters "$bridge" "$4"
	[[ ! ${4-} ]] || up=''
	bridge_port_read "$1" "$bridge"
	mtu=${3:-$bridge_port_mtu}
	[[ $mtu == "$bridge_port_mtu" ]] || keep="link set dev $bridge mtu $bridge_port_mtu"
	interface_takes_mtu "$1" "$mtu"
	interface_remember "$1"
	run_with "link set dev $1 down
		link set dev $1 address $bridge_port_mac mtu $mtu
		address flush dev $1
		link set dev $1 master $bridge$up
		$keep
" ip -batch - || fail "Cannot make $1 a port of the bridge $bridge (MTU $mtu): $reason"
	[[ $up ]] || bridge_port_set_vlans "$1" "$4"
}

# bridge_port_plan <interface> <bridge> <mtu> [VLANs]
bridge_port_plan() {
	bridge_port_find "$2"
	[[ ! ${4-} ]] || bridge_port_filters "$bridge_port_bridge" "$4"
}

# bridge_port_release <interface> <bridge> <mtu> [VLANs]
# The bridge may be gone; the interface may be gone, or its name reused.
bridge_port_release() {
	interface_is_ours "$1" || return 0
	run ip link set dev "$1" down nomaster || ! interface_is_ours "$1"
}

# bridge_port_check <interface> <bridge> <mtu> [VLANs]
bridge_port_check() {
	# Without bridge=, the host had one bridge at the attach, and may have more now.
	[[ $2 ]] || [[ -e /sys/class/net/$1/brport ]] || reason="$1 is not a port of a bridge."
	bridge_port_translate "$2"
	[[ ! $2 || -e /sys/class/net/$bridge_port_bridge/brif/$1 ]] || reason="$1 is not a port of the bridge $bridge_port_bridge."
	[[ ! $reason ]]
}

# bridge_port_read <interface> <bridge>
# Sets bridge_port_mtu, which the bridge must keep: while nobody has set it, a bridge
# takes the smallest of its ports', and so a guest's, for this host and for later guests.
bridge_port_read() {
	local flags=''
	bridge_port_mtu=''
	read -r bridge_port_mtu 2>/dev/null <"/sys/class/net/$2/mtu" || :
	read -r flags 2>/dev/null <"/sys/class/net/$2/flags" || :
	[[ $bridge_port_mtu && $flags ]] ||
		fail "The bridge '$2' vanished during the attach of $1; create it again, then attach the interface again."
	((flags & 1)) ||
		warn "The bridge $2 is down, so $1 reaches nothing until it is up (ip link set $2 up)."
}

# bridge_port_find <bridge, or empty for the only one>
# Sets bridge_port_bridge; fails if there is no such bridge.
bridge_port_find() {
	[[ $1 ]] || bridge_port_only
	[[ ! $1 ]] || bridge_port_translate "$1"
	[[ -e /sys/class/net/$bridge_port_bridge ]] || bridge_port_missing "$bridge_port_bridge"
	[[ -d /sys/class/net/$bridge_port_bridge/bridge ]] ||
		fail "'$bridge_port_bridge' is not a Linux bridge; correct bridge= in the guest's configuration, or use script=vif-openvswitch if it is one of Open vSwitch."
}

# bridge_port_missing <bridge>
# Fails. libxl passes xl.conf's default if the configuration names no bridge.
bridge_port_missing() {
	local bridges more
	bridge_port_list
	bridges=("${bridge_port_bridges[@]}")
	((${#bridges[@]})) || fail "The bridge '$1' does not exist, and this host has no other; create it (ip link add $1 type bridge)."
	more=$((${#bridges[@]} - bridge_port_shown))
	((more <= 0)) || bridges=("${bridges[@]:0:bridge_port_shown}" "and $more more")
	fail "The bridge '$1' does not exist; create it (ip link add $1 type bridge), or set bridge= or xl.conf's vif.default.bridge to one of: ${bridges[*]}."
}

# bridge_port_list
# Sets bridge_port_bridges.
bridge_port_list() {
	local bridges=(/sys/class/net/*/bridge)
	bridges=("${bridges[@]%/bridge}")
	bridge_port_bridges=("${bridges[@]##*/}")
	[[ ${bridge_port_bridges[0]} != '*' ]] || bridge_port_bridges=()
}

# bridge_port_only
# Sets bridge_port_bridge to the only bridge of this host; fails if it has none or several.
bridge_port_only() {
	bridge_port_list
	((${#bridge_port_bridges[@]})) ||
		fail 'This host has no bridge; create one (ip link add xenbr0 type bridge).'
	((${#bridge_port_bridges[@]} == 1)) ||
		fail "This host has several bridges (${bridge_port_bridges[*]}) and the guest's configuration names none; add bridge= to it."
	bridge_port_bridge=${bridge_port_bridges[0]}
}

# bridge_port_translate <bridge>
# Sets bridge_port_bridge. Configurations from Xen 3 name a bridge xenbrN that is now
# called ethN.
bridge_port_translate() {
	bridge_port_bridge=$1
	[[ $1 == xenbr* && ! -e /sys/class/net/$1 ]] || return 0
	[[ ! -d /sys/class/net/eth${1#xenbr}/bridge ]] || bridge_port_bridge=eth${1#xenbr}
}

# bridge_port_filters <bridge> <VLANs>
# Fails if the bridge does not filter VLANs.
bridge_port_filters() {
	local filters=0
	parameters_check_tools bridge
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
