# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An interface as a port of an Open vSwitch bridge. The port is in Open vSwitch's
# database, under the interface's name, and remains when the interface goes.

# shellcheck source=interface.sh
resource_find interface

# The bridge may take the lowest MAC address of its ports, as a Linux bridge does.
ovs_port_mac=fe:ff:ff:ff:ff:ff

# Seconds that ovs-vsctl waits for ovs-vswitchd; less than the deadline of run, so
# that its own message is reported.
ovs_port_patience=6

# Set by ovs_port_parse:
ovs_port_bridge='' # the bridge's name
ovs_port_vlans=''  # its VLANs, in the form that vlans_parse_any reads

ovs_port_settings=() # set by ovs_port_find: columns of the port
ovs_port_ids=()      # set by ovs_port_identify: columns of the interface by which others, such as OVN, know it
ovs_port_value=''    # set by ovs_port_take and ovs_port_escape

ovs_port_arguments='INTERFACE BRIDGE MTU VLANS'

# ovs_port_acquire <interface> <bridge, in the form of ovs_port_parse> <mtu, or empty> <VLANs, or empty>
# Also reads mac, vifname and domid. Adds the port before the interface goes up,
# because this host would receive what the guest sends in between.
ovs_port_acquire() {
	local columns
	interface_takes_mtu "$1" "$3"
	ovs_port_find "$2" "$4"
	ovs_port_identify
	columns=("${ovs_port_ids[@]}")
	[[ ! $3 ]] || columns+=("mtu_request=$3")
	((${#columns[@]} == 0)) || columns=(-- set interface "$1" "${columns[@]}")
	interface_remember "$1"
	ovs_port_ask "$ovs_port_patience" -- --if-exists del-port "$1" -- \
		add-port "$ovs_port_bridge" "$1" "${ovs_port_settings[@]}" "${columns[@]}" \
		-- br-to-vlan "$ovs_port_bridge" || ovs_port_failed "$1"
	ovs_port_fits "${run_output%$'\n'}"
	run_with "link set dev $1 down
		link set dev $1 address $ovs_port_mac${3:+ mtu $3}
		address flush dev $1
		link set dev $1 up
" ip -batch - || fail "Cannot start $1${3:+ (MTU $3)} as a port of the bridge $ovs_port_bridge: $reason"
}

# ovs_port_plan <interface> <bridge> <mtu> <VLANs>
ovs_port_plan() {
	ovs_port_find "$2" "$4"
	ovs_port_ask "$ovs_port_patience" -- br-to-vlan "$ovs_port_bridge" || ovs_port_failed "$1"
	ovs_port_fits "${run_output%$'\n'}"
}

# ovs_port_release <interface> <bridge> <mtu> <VLANs>
# Also removes a port whose interface is gone. Waits only briefly for ovs-vswitchd,
# which reads the database when it starts.
ovs_port_release() {
	local status=0
	[[ ! -e /sys/class/net/$1 ]] || interface_is_ours "$1" || return 0
	ovs_port_ask 3 -- --if-exists del-port "$1" ||
		ovs_port_ask 3 --no-wait -- --if-exists del-port "$1" || status=1
	# Only now, because ovs-vswitchd restores the interface's state when it removes the port.
	! interface_is_ours "$1" || run ip link set dev "$1" down || ! interface_is_ours "$1" || status=1
	return "$status"
}

# ovs_port_check <interface> <bridge> <mtu> <VLANs>
ovs_port_check() {
	ovs_port_parse "$2" && ovs_port_ask "$ovs_port_patience" -- port-to-br "$1" || return
	[[ ${run_output%$'\n'} == "$ovs_port_bridge" ]] || reason="$1 is not a port of the bridge $ovs_port_bridge."
	[[ ! $reason ]]
}

# ovs_port_ask <seconds to wait> <argument of ovs-vsctl>...
# Runs ovs-vsctl. On failure its status, with reason set.
ovs_port_ask() {
	local status=0
	run ovs-vsctl --timeout="$1" "${@:2}" || status=$?
	# At its timeout it ends by SIGALRM.
	((status != 128 + 14)) ||
		reason="Open vSwitch did not answer within $1 s; see whether ovsdb-server and ovs-vswitchd run (systemctl status openvswitch-switch)."
	return "$status"
}

# ovs_port_failed <interface>
# Fails, with the reason or a clearer one.
ovs_port_failed() {
	[[ $reason != *'no bridge named'* ]] || ovs_port_missing
	fail "Cannot make $1 a port of the Open vSwitch bridge '$ovs_port_bridge': $reason"
}

# ovs_port_missing
# Fails. libxl passes xl.conf's default if the configuration names no bridge.
ovs_port_missing() {
	local bridges=()
	! ovs_port_ask "$ovs_port_patience" -- list-br || read -r -d '' -a bridges <<<"$run_output" || :
	((${#bridges[@]} <= 8)) || bridges=("${bridges[@]:0:8}" "and $((${#bridges[@]} - 8)) more")
	((${#bridges[@]})) ||
		fail "Open vSwitch has no bridge '$ovs_port_bridge', and no other; create it (ovs-vsctl add-br $ovs_port_bridge)."
	fail "Open vSwitch has no bridge '$ovs_port_bridge'; create it (ovs-vsctl add-br $ovs_port_bridge), or set bridge= or xl.conf's vif.default.bridge to one of: ${bridges[*]}."
}

# ovs_port_find <bridge> <VLANs, or empty>
# Parses the bridge and the VLANs, and sets ovs_port_settings. Fails if they are not
# possible.
ovs_port_find() {
	local shown
	quote shown "$1"
	ovs_port_parse "$1" || fail "The bridge $shown is not $expected; correct the guest's configuration."
	[[ ! -d /sys/class/net/$ovs_port_bridge/bridge ]] ||
		fail "'$ovs_port_bridge' is a Linux bridge; use script=vif-bridge, or correct bridge= in the guest's configuration."
	[[ ! $ovs_port_vlans || ! $2 ]] ||
		fail "Both bridge=$1 and vlan=$2 name VLANs; remove those from one of them in the guest's configuration."
	[[ ! $2 ]] || parameters_check 'Parameter vlan' "$2" vlans
	ovs_port_settings=()
	[[ ! $ovs_port_vlans$2 ]] || ovs_port_set
}

# ovs_port_fits <the bridge's VLAN, or 0>
# Fails if the port has VLANs and the bridge is one of Open vSwitch's fake bridges, which
# is a VLAN of its parent itself: the port would leave the bridge.
ovs_port_fits() {
	((${#ovs_port_settings[@]})) && [[ $1 != 0 ]] || return 0
	fail "The bridge '$ovs_port_bridge' is VLAN $1 of another Open vSwitch bridge; remove the VLANs from the guest's configuration, or name the other bridge."
}

# ovs_port_set
# Sets ovs_port_settings to the VLANs that were parsed last.
ovs_port_set() {
	local tagged
	printf -v tagged '%s,' "${vlans_tagged[@]}"
	[[ ! $vlans_pvid ]] || ovs_port_settings=("tag=$vlans_pvid" vlan_mode=access)
	((${#vlans_tagged[@]} == 0)) || ovs_port_settings=("trunks=${tagged%,}" vlan_mode=trunk)
	[[ ! $vlans_pvid ]] || ((${#vlans_tagged[@]} == 0)) ||
		ovs_port_settings=("tag=$vlans_pvid" "trunks=${tagged%,}" vlan_mode=native-untagged)
	[[ ${vlans_untagged[*]} == "$vlans_pvid" ]] ||
		fail "An Open vSwitch port has one untagged VLAN, its PVID $vlans_pvid, but vlan= has ${vlans_untagged[*]} untagged; correct it in the guest's configuration."
}

# ovs_port_parse <bridge>
# NAME[.TAG][:TRUNK]…, or [NAME][.TAG][:TRUNK]… for any name. Fails with expected
# set, like a type. If there are VLANs, they are in the variables of vlans_parse.
ovs_port_parse() {
	local not='].:/"\[:space:][:cntrl:]['
	local name="[^$not-][^$not]*" any="[^$not-][^${not/.:/}]*"
	[[ $1 =~ ^(\[($any)\]|($name))(\.([0-9]+))?((:[0-9]+)*)$ && ${#1} -le 4095 ]] || ovs_port_refuse || return
	ovs_port_bridge=${BASH_REMATCH[2]}${BASH_REMATCH[3]}
	ovs_port_vlans=${BASH_REMATCH[5]:+${BASH_REMATCH[5]}p}${BASH_REMATCH[6]//://}
	ovs_port_vlans=${ovs_port_vlans#/}
	expected='the name of an interface for guests (not all, default, lo or bonding_masters, and without %)'
	[[ $ovs_port_bridge != @(all|default|lo|bonding_masters) && $ovs_port_bridge != *%* ]] || return
	[[ $ovs_port_vlans ]] || return 0
	library lib/vlans
	vlans_parse_any "$ovs_port_vlans" && return 0
	expected='a bridge with VLANs from 1 to 4094, each once (brackets around a name with . or :, as in [br.0])'
	return 1
}

# ovs_port_refuse
# Sets expected for a wrong form, and fails.
ovs_port_refuse() {
	expected='a bridge with optional VLANs, such as ovs0, ovs0.10 (untagged), ovs0:20 (tagged), or [br.0].10 (brackets around a name with . or :)'
	return 1
}

# ovs_port_identify
# Sets ovs_port_ids. There are fewer in a driver domain, which may not read the
# guest's nodes.
ovs_port_identify() {
	local vm name id=$vifname
	[[ $type_if != tap ]] || id=${id%-emu}
	helper load "$XENBUS_PATH" "/local/domain/$domid/vm" "/local/domain/$domid/name" || fail "$reason"
	ovs_port_take "/local/domain/$domid/vm" "${run_reply[0]}"
	vm=${ovs_port_value##*/}
	ovs_port_take "/local/domain/$domid/name" "${run_reply[1]}"
	name=$ovs_port_value
	ovs_port_ids=()
	ovs_port_add_id attached-mac "$mac"
	ovs_port_add_id xen-vm-uuid "$vm"
	ovs_port_add_id xen-vm-name "$name"
	ovs_port_add_id iface-id "${id:-${vm:+$vm-$devid}}"
}

# ovs_port_take <node> <field of helper load>
# Sets ovs_port_value.
ovs_port_take() {
	case $2 in
	=*) ovs_port_value=${2#=} ;;
	- | '!Permission denied') ovs_port_value='' ;;
	*) fail "Cannot read the node $1: ${2#!}; try again." ;;
	esac
}

# ovs_port_add_id <key> <value, or empty>
# ovs-vsctl reads a quoted value as a JSON string.
ovs_port_add_id() {
	[[ $2 ]] || return 0
	ovs_port_value=$2
	[[ $2 != *[\"\\[:cntrl:]]* ]] || ovs_port_escape
	ovs_port_ids+=("external-ids:$1=\"$ovs_port_value\"")
}

# ovs_port_escape
# Escapes ovs_port_value for a JSON string.
ovs_port_escape() {
	local code byte
	# The backslash first.
	for code in 5c 22 {0,1}{{1..9},{a..f}} 10; do
		printf -v byte '%b' "\\x$code"
		ovs_port_value=${ovs_port_value//"$byte"/"\\u00$code"}
	done
}
