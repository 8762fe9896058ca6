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

# ovs_port_acquire <interface> <bridge, in the form of ovs_port_parse> <mtu, or empty> <VLANs, or empty>
# Also reads mac, vifname and domid. Adds the port before the interface goes up,
# because this host would receive what the guest sends in between.
ovs_port_acquire() {
	local port=() ids=()
	interface_takes_mtu "$1" "$3"
	ovs_port_find "$2" "$4"
	ovs_port_identify
	[[ ! $3 ]] || ids+=("mtu_request=$3")
	((${#ids[@]} == 0)) || ids=(-- set interface "$1" "${ids[@]}")
	interface_remember "$1"
	ovs_port_ask -- --if-exists del-port "$1" -- add-port "$ovs_port_bridge" "$1" "${port[@]}" "${ids[@]}" ||
		ovs_port_failed "$1" "$?"
	run_with "link set dev $1 down
		link set dev $1 address $ovs_port_mac${3:+ mtu $3}
		address flush dev $1
		link set dev $1 up
" ip -batch - || fail "Cannot start $1${3:+ (MTU $3)} as a port of the bridge $ovs_port_bridge: $reason"
}

# ovs_port_plan <interface> <bridge> <mtu> <VLANs>
ovs_port_plan() {
	local port
	ovs_port_find "$2" "$4"
	ovs_port_ask -- br-exists "$ovs_port_bridge" || ovs_port_failed "$1" "$?"
}

# ovs_port_release <interface> <bridge> <mtu> <VLANs>
# Also removes a port whose interface is gone. Waits only briefly for ovs-vswitchd,
# which reads the database when it starts.
ovs_port_release() {
	local status=0 ovs_port_patience=3
	[[ ! -e /sys/class/net/$1 ]] || interface_is_ours "$1" || return 0
	ovs_port_ask -- --if-exists del-port "$1" ||
		ovs_port_ask --no-wait -- --if-exists del-port "$1" || status=1
	# Only now, because ovs-vswitchd restores the interface's state when it removes the port.
	! interface_is_ours "$1" || run ip link set dev "$1" down || ! interface_is_ours "$1" || status=1
	return "$status"
}

# ovs_port_check <interface> <bridge> <mtu> <VLANs>
ovs_port_check() {
	ovs_port_parse "$2" && ovs_port_ask -- port-to-br "$1" || return
	[[ ${run_output%$'\n'} == "$ovs_port_bridge" ]] || reason="$1 is not a port of the bridge $ovs_port_bridge."
	[[ ! $reason ]]
}

# ovs_port_ask <argument of ovs-vsctl>...
# Runs ovs-vsctl. On failure its status, with reason set.
ovs_port_ask() {
	local status=0
	run ovs-vsctl --timeout="$ovs_port_patience" "$@" || status=$?
	# At its timeout it ends by SIGALRM.
	((status != 128 + 14)) ||
		reason="Open vSwitch did not answer within $ovs_port_patience s; see whether ovsdb-server and ovs-vswitchd run (systemctl status openvswitch-switch)."
	return "$status"
}

# ovs_port_failed <interface> <ovs-vsctl's status>
# Fails, with the reason or a clearer one.
ovs_port_failed() {
	# br-exists has a status for that, add-port only a message.
	[[ $2 != 2 && $reason != *'no bridge named'* ]] ||
		fail "Open vSwitch has no bridge '$ovs_port_bridge'; create it (ovs-vsctl add-br $ovs_port_bridge), or correct bridge= in the guest's configuration."
	fail "Cannot make $1 a port of the Open vSwitch bridge '$ovs_port_bridge': $reason"
}

# ovs_port_find <bridge> <VLANs, or empty>
# Parses the bridge and the VLANs, and sets port (declared by the caller) to the
# columns of its port. Fails if they are not possible.
ovs_port_find() {
	local expected shown
	quote shown "$1"
	ovs_port_parse "$1" || fail "The bridge $shown is not $expected; correct the guest's configuration."
	[[ ! -d /sys/class/net/$ovs_port_bridge/bridge ]] ||
		fail "'$ovs_port_bridge' is a Linux bridge; use script=vif-bridge, or correct bridge= in the guest's configuration."
	[[ ! $ovs_port_vlans || ! $2 ]] ||
		fail "Both bridge=$1 and vlan=$2 name VLANs; remove those from one of them in the guest's configuration."
	[[ ! $2 ]] || parameters_check 'Parameter vlan' "$2" vlans
	ovs_port_columns
}

# ovs_port_columns
# Sets port (declared by the caller), from what was parsed last.
ovs_port_columns() {
	local tagged
	printf -v tagged '%s,' "${vlans_tagged[@]}"
	port=()
	[[ ! $vlans_pvid ]] || port=("tag=$vlans_pvid" vlan_mode=access)
	((${#vlans_tagged[@]} == 0)) || port=("trunks=${tagged%,}" vlan_mode=trunk)
	[[ ! $vlans_pvid ]] || ((${#vlans_tagged[@]} == 0)) ||
		port=("tag=$vlans_pvid" "trunks=${tagged%,}" vlan_mode=native-untagged)
	[[ ${vlans_untagged[*]} == "$vlans_pvid" ]] ||
		fail "An Open vSwitch port has one untagged VLAN, its PVID $vlans_pvid, but vlan= has ${vlans_untagged[*]} untagged; correct it in the guest's configuration."
}

# ovs_port_parse <bridge>
# NAME[.TAG][:TRUNK]…, or [NAME][.TAG][:TRUNK]… for any name. Fails with expected
# set, like a type. Without VLANs, the variables of vlans_parse are empty.
ovs_port_parse() {
	local not='].:/"\[:space:][:cntrl:]['
	local name="[^$not-][^$not]*" any="[^$not-][^${not/.:/}]*"
	[[ $1 =~ ^(\[($any)\]|($name))(\.([0-9]+))?((:[0-9]+)*)$ && ${#1} -le 4095 ]] || ovs_port_refuse || return
	ovs_port_bridge=${BASH_REMATCH[2]}${BASH_REMATCH[3]}
	ovs_port_vlans=${BASH_REMATCH[5]:+${BASH_REMATCH[5]}p}${BASH_REMATCH[6]//://}
	ovs_port_vlans=${ovs_port_vlans#/}
	vlans_pvid='' vlans_untagged=() vlans_tagged=()
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
# Sets ids (declared by the caller) to the columns by which others, such as OVN,
# identify the port. There are fewer in a driver domain, which may not read the
# guest's nodes.
ovs_port_identify() {
	local vm name id=$vifname
	[[ $type_if != tap ]] || id=${id%-emu}
	helper load "$XENBUS_PATH" "/local/domain/$domid/vm" "/local/domain/$domid/name" || fail "$reason"
	ovs_port_take vm "/local/domain/$domid/vm" "${run_reply[0]}"
	ovs_port_take name "/local/domain/$domid/name" "${run_reply[1]}"
	vm=${vm##*/}
	ovs_port_add_id attached-mac "$mac"
	ovs_port_add_id xen-vm-uuid "$vm"
	ovs_port_add_id xen-vm-name "$name"
	ovs_port_add_id iface-id "${id:-${vm:+$vm-$devid}}"
}

# ovs_port_take <out-var> <node> <field of helper load>
ovs_port_take() {
	case $3 in
	=*) printf -v "$1" '%s' "${3#=}" ;;
	- | '!Permission denied') printf -v "$1" '' ;;
	*) fail "Cannot read the node $2: ${3#!}; try again." ;;
	esac
}

# ovs_port_add_id <key> <value, or empty>
# ovs-vsctl reads a quoted value as a JSON string.
ovs_port_add_id() {
	local value=$2
	[[ $value ]] || return 0
	[[ $value != *[\"\\[:cntrl:]]* ]] || ovs_port_escape
	ids+=("external-ids:$1=\"$value\"")
}

# ovs_port_escape
# Escapes value (declared by the caller) for a JSON string.
ovs_port_escape() {
	local code byte
	# The backslash first.
	for code in 5c 22 {0,1}{{1..9},{a..f}} 10; do
		printf -v byte '%b' "\\x$code"
		value=${value//"$byte"/"\\u00$code"}
	done
}
