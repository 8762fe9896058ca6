# SPDX-License-Identifier: LGPL-2.1-only
# vif-openvswitch, with an Open vSwitch that switches in user space. A veth's
# other end plays the guest.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/frames
load ../lib/ovs

setup() {
	host_start
	domain 1 3f1ad1f7-9a12-4c4b-8f0b-5c6d7e8f9a0b
	domain 2
	ovs_start
}

teardown() {
	local status=0
	report_moment
	host_stop || status=1
	ovs_stop
	return "$status"
}

# The calls, each with the ids of the device.
ovs_online() { call vif-openvswitch online vif "$1" "$2" type_if=vif; }
ovs_offline() { call vif-openvswitch offline vif "$1" "$2" type_if=vif; }

# guest <domid> <bridge> [node value]...
# Attaches it, and starts its end.
guest() {
	vif "$1" 0 bridge "${@:2}"
	ovs_online "$1" 0
	host ip link set "guest$1.0" up
}

# outside <port> <bridge> [column=value]...
# A port whose other end, called out-PORT, sees what the column lets it see.
outside() {
	host ip link add "$1" type veth peer name "out-$1"
	host ip link set "$1" up
	host ip link set "out-$1" up
	host ovs-vsctl --timeout="$generous" add-port "$2" "$1" "${@:3}"
}

# assert_ids <interface> [key value]...
# It has these external-ids and no other.
assert_ids() {
	local expected
	expected=$(jq -nc '[$ARGS.positional | _nwise(2)] | sort' --args "${@:2}")
	[[ "$(host ovs-vsctl --format=json --columns=external_ids list interface "$1" | jq -c '.data[0][0][1] | sort')" == "$expected" ]] || {
		host ovs-vsctl --columns=external_ids list interface "$1"
		return 1
	}
}

# refused <part of the sentence>
# The attach that bats' run made said why, and nothing is left of it.
refused() {
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "$1"
	assert_link_down vif1.0
	[[ "$(ovs_ports)" != *vif1.0* ]]
	assert_residue_free
}

@test "online makes the vif a port that is up and has its external-ids" {
	ovs_bridge ovs0
	vif 1 0 bridge ovs0
	nodes_remember
	ovs_online 1 0
	[[ "$(ovs_ports)" == 'ovs0 vif1.0' ]]
	assert_link_up vif1.0
	[[ "$(link vif1.0 .address)" == fe:ff:ff:ff:ff:ff ]]
	[[ "$(ovs_get port vif1.0 tag)$(ovs_get port vif1.0 trunks)$(ovs_get port vif1.0 vlan_mode)" == '[][][]' ]]
	assert_ids vif1.0 attached-mac 00:16:3e:00:00:01 xen-vm-uuid 3f1ad1f7-9a12-4c4b-8f0b-5c6d7e8f9a0b \
		xen-vm-name guest1 iface-id 3f1ad1f7-9a12-4c4b-8f0b-5c6d7e8f9a0b-0
	assert_changed 'gone or other: /local/domain/0/backend/vif/1/0/hotplug-status' \
		'/local/domain/0/backend/vif/1/0/hotplug-status = "connected"'
}

@test "offline removes the port and its record" {
	ovs_bridge ovs0
	guest 1 ovs0
	ovs_offline 1 0
	[[ ! "$(ovs_ports)" ]]
	assert_link_down vif1.0
	assert_residue_free
	ovs_offline 1 0
}

@test "online makes one transaction of Open vSwitch" {
	ovs_bridge ovs0
	vif 1 0 bridge ovs0.10:20 mtu 1400
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ovs-vsctl" <<-END
		#!/bin/bash
		echo x >>$BATS_TEST_TMPDIR/calls
		exec $(type -P ovs-vsctl) "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH ovs_online 1 0
	[[ "$(<"$BATS_TEST_TMPDIR/calls")" == x ]]
	[[ "$(ovs_get port vif1.0 tag)$(ovs_get port vif1.0 trunks)" == '10[20]' ]]
}

@test "a tap is a port with the same ids" {
	ovs_bridge ovs0
	vif 1 0 bridge ovs0 vifname web
	vif_link vif1.0-emu tap1.0
	ovs_online 1 0
	call vif-openvswitch add vif 1 0 type_if=tap
	[[ "$(ovs_ports)" == $'ovs0 web\novs0 web-emu' ]]
	[[ "$(ovs_get interface web external-ids)" == "$(ovs_get interface web-emu external-ids)" ]]
	assert_link_up web-emu
	call vif-openvswitch remove vif 1 0 type_if=tap
	[[ "$(ovs_ports)" == 'ovs0 web' ]]
	host ip link show vif1.0-emu
}

@test "a vifname is the port's name and its iface-id for OVN" {
	ovs_bridge ovs0
	vif 1 0 bridge ovs0 vifname lsp-web
	ovs_online 1 0
	[[ "$(ovs_ports)" == 'ovs0 lsp-web' ]]
	[[ "$(ovs_get interface lsp-web external-ids:iface-id)" == lsp-web ]]
	ovs_offline 1 0
	[[ ! "$(ovs_ports)" ]]
	host ip link show vif1.0
}

@test "an MTU is set on the port, requested of Open vSwitch and published to the guest" {
	ovs_bridge ovs0
	vif 1 0 bridge ovs0 mtu 1400
	ovs_online 1 0
	[[ "$(ovs_get interface vif1.0 mtu_request)" == 1400 ]]
	[[ "$(link vif1.0 .mtu)" == 1400 ]]
	assert_node /local/domain/1/device/vif/0/mtu 1400
	vif 2 0 bridge ovs0
	ovs_online 2 0
	[[ "$(ovs_get interface vif2.0 mtu_request)" == '[]' ]]
	run ! store_has /local/domain/2/device/vif/0/mtu
}

# vlans <nodes> <tag> <trunks> <mode>
# So the port is with these nodes.
vlans() {
	local words
	read -ra words <<<"$1"
	nodes backend/vif/1/0 bridge ovs0 vlan ''
	nodes backend/vif/1/0 "${words[@]}"
	ovs_online 1 0
	[[ "$(ovs_get port vif1.0 tag)|$(ovs_get port vif1.0 trunks)|$(ovs_get port vif1.0 vlan_mode)" == "$2|$3|$4" ]]
}

@test "the VLANs of bridge= and vlan= become the port's VLANs" {
	ovs_bridge ovs0
	vif 1 0
	vlans 'bridge ovs0' '[]' '[]' '[]'
	vlans 'bridge ovs0.10' 10 '[]' access
	vlans 'bridge ovs0:20:30' '[]' '[20, 30]' trunk
	vlans 'bridge ovs0.10:20:30' 10 '[20, 30]' native-untagged
	vlans 'vlan 10' 10 '[]' access
	vlans 'vlan 10p/20/30-32' 10 '[20, 30, 31, 32]' native-untagged
	vlans 'vlan 10p/100+10x4' 10 '[100, 110, 120, 130, 140]' native-untagged
	vlans 'vlan 1p/4094' 1 '[4094]' native-untagged
	vlans 'bridge ovs0' '[]' '[]' '[]'
}

@test "a guest's tagged and untagged frames reach only its own VLANs" {
	ovs_bridge ovs0
	outside trunk0 ovs0
	outside access0 ovs0 tag=30
	guest 1 ovs0 vlan 10p/20
	guest 2 ovs0.20
	frames_watch 10,20,30 out-trunk0 out-access0 guest1.0 guest2.0
	frame guest1.0
	until_true got out-trunk0 10
	got out-access0 '' && got guest2.0 ''
	frame guest1.0 30
	frame guest2.0 30
	frame guest1.0 20
	until_true got out-trunk0 '10 20'
	until_true got guest2.0 untagged
	got out-access0 ''
	frame guest2.0
	until_true got guest1.0 20
	frame out-access0
	until_true got out-trunk0 '10 20 30'
	frame out-trunk0 10
	until_true got guest1.0 '20 untagged'
	got guest2.0 untagged && got out-access0 ''
	host ip link del trunk0
	host ip link del access0
}

@test "a bridge's name with full stops and colons is accepted in brackets" {
	local name
	vif 1 0
	for name in br.0 br.0.1; do
		ovs_bridge "$name"
		nodes backend/vif/1/0 bridge "[$name].10:20"
		ovs_online 1 0
		[[ "$(ovs_ports)" == "$name vif1.0" ]]
		[[ "$(ovs_get port vif1.0 tag)" == 10 ]]
		ovs_offline 1 0
	done
	# Which the kernel would not have as an interface, but the database has.
	host ovs-vsctl --no-wait add-br br:1 -- set bridge br:1 datapath_type=netdev
	nodes backend/vif/1/0 bridge '[br:1]'
	ovs_online 1 0
	[[ "$(ovs_ports)" == *'br:1 vif1.0'* ]]
}

@test "a VM's name with any UTF-8 text reaches the port unchanged" {
	local name
	ovs_bridge ovs0
	vif 1 0 bridge ovs0
	for name in 'a b' "a'b" 'a"b' '"' '""' 'a\b' "\\" '\n' $'a\nb' $'\t\x01\x1f\x7f' 'a=b,c={d}' '[]' '{}' -- --if-exists "\$(id)" \
		"\`id\`" 'a&b' '%s' $'\u00e9\U1f600' 'a -- del-br ovs0'; do
		sampled || continue
		moment=$name
		xenstore-write -R -- /local/domain/1/name "$name"
		ovs_online 1 0
		[[ "$(host ovs-vsctl --format=json --columns=external_ids find interface name=vif1.0 |
			jq -r '.data[0][0][1] | map({key: .[0], value: .[1]}) | from_entries."xen-vm-name" + "."')" == "$name." ]]
	done
	moment=''
	[[ "$(ovs_ports)" == 'ovs0 vif1.0' ]]
}

@test "the port has no xen-vm ids if the store does not give the VM's name and uuid" {
	ovs_bridge ovs0
	xenstore-rm /local/domain/1
	vif 1 0 bridge ovs0
	ovs_online 1 0
	assert_ids vif1.0 attached-mac 00:16:3e:00:00:01
	store_fault 'read:/local/domain/1/vm@1=EACCES' 'read:/local/domain/1/name@1=EACCES'
	ovs_online 1 0
	assert_ids vif1.0 attached-mac 00:16:3e:00:00:01
}

@test "the filter of ip= is set before the interface is a port" {
	ovs_bridge ovs0
	vif 1 0 bridge ovs0 ip 192.0.2.7
	ovs_online 1 0
	host nft list chain netdev xen_hotplug vif1.0 | grep 192.0.2.7
	run call vif-openvswitch plan vif 1 0
	[[ "$output" == *address_filter*ovs_port* ]]
	ovs_offline 1 0
	run ! host nft list chain netdev xen_hotplug vif1.0
}

@test "with ip=, tagged frames pass the filter only if bridge= or vlan= names VLANs" {
	ovs_bridge ovs0
	vif 1 0 bridge ovs0 ip 192.0.2.7
	ovs_online 1 0
	host nft list chain netdev xen_hotplug vif1.0 | run ! grep 8021q
	nodes backend/vif/1/0 bridge ovs0:20
	ovs_online 1 0
	host nft list chain netdev xen_hotplug vif1.0 | grep 8021q
	nodes backend/vif/1/0 bridge ovs0 vlan 10p/20
	ovs_online 1 0
	host nft list chain netdev xen_hotplug vif1.0 | grep 8021q
}

@test "a stale record of an earlier guest is replaced" {
	ovs_bridge ovs0 ovs1
	host ovs-vsctl --no-wait add-port ovs1 vif1.0 tag=7
	vif 1 0 bridge ovs0
	ovs_online 1 0
	[[ "$(ovs_ports)" == 'ovs0 vif1.0' ]]
	[[ "$(ovs_get port vif1.0 tag)" == '[]' ]]
}

@test "offline succeeds if the interface or the bridge is gone" {
	ovs_bridge ovs0 ovs1
	guest 1 ovs0
	guest 2 ovs1
	host ip link del vif1.0
	ovs_offline 1 0
	[[ "$(ovs_ports)" == 'ovs1 vif2.0' ]]
	host ovs-vsctl --timeout="$generous" del-br ovs1
	ovs_offline 2 0
	assert_residue_free
}

@test "offline leaves a port of another owner with the same name alone" {
	ovs_bridge ovs0
	guest 1 ovs0
	host ip link del vif1.0
	vif_link vif1.0 another
	host ovs-vsctl --timeout="$generous" -- del-port vif1.0 -- add-port ovs0 vif1.0
	ovs_offline 1 0
	[[ "$(ovs_ports)" == 'ovs0 vif1.0' ]]
	host ip link del vif1.0
}

@test "offline detaches an interface that Xen's script attached" {
	ovs_bridge ovs0
	vif 1 0 bridge ovs0.10
	host ovs-vsctl --timeout="$generous" add-port ovs0 vif1.0 tag=10
	host ip link set vif1.0 up
	of_xenbus vif1.0 backend/vif/1/0
	ovs_offline 1 0
	[[ ! "$(ovs_ports)" ]]
	assert_link_down vif1.0
}

@test "check reports whether the port is still on its bridge" {
	ovs_bridge ovs0 ovs1
	guest 1 ovs0
	call vif-openvswitch check vif 1 0
	host ovs-vsctl --timeout="$generous" -- del-port vif1.0 -- add-port ovs1 vif1.0
	run call vif-openvswitch check vif 1 0
	[[ "$status" -eq 1 ]]
	[[ "$output" == *'vif1.0 is not a port of the bridge ovs0.'* ]]
}

@test "plan checks that the bridge exists" {
	vif 1 0 bridge ovs0.10
	run call vif-openvswitch plan vif 1 0
	[[ "$status" -eq 1 ]]
	[[ "$output" == *"has no bridge 'ovs0'"* ]]
	ovs_bridge ovs0
	call vif-openvswitch plan vif 1 0
	[[ ! "$(ovs_ports)" ]]
}

@test "a missing bridge, or one that is not of Open vSwitch, is refused with a remedy" {
	vif 1 0 bridge ovs9
	run ovs_online 1 0
	refused "ovs-vsctl add-br ovs9"
	bridge xenbr0
	nodes backend/vif/1/0 bridge xenbr0 hotplug-status ''
	run ovs_online 1 0
	refused 'script=vif-bridge'
	nodes backend/vif/1/0 bridge '' hotplug-status ''
	run ovs_online 1 0
	refused 'Parameter bridge is missing'
}

@test "vif-bridge refuses a bridge of Open vSwitch" {
	ovs_bridge ovs0
	vif 1 0 bridge ovs0
	run online 1 0
	refused 'script=vif-openvswitch'
}

@test "invalid VLANs, and VLANs that Open vSwitch does not support, are refused before any change" {
	local words
	ovs_bridge ovs0
	vif 1 0
	while IFS= read -r moment; do
		read -ra words <<<"$moment"
		nodes backend/vif/1/0 bridge ovs0 vlan '' hotplug-status ''
		nodes backend/vif/1/0 "${words[@]:0:4}"
		run ovs_online 1 0
		refused "${words[*]:4}"
	done <<-'END'
		bridge ovs0.0 vlan  from 1 to 4094
		bridge ovs0.4095 type vif from 1 to 4094
		bridge ovs0:0 type vif from 1 to 4094
		bridge ovs0:4095 type vif from 1 to 4094
		bridge br.0 type vif brackets
		bridge ovs0 vlan 0 from 1 to 4094
		bridge ovs0 vlan 4095 from 1 to 4094
		bridge ovs0 vlan 10/20 with a PVID
		bridge ovs0 vlan 10p/20u one untagged VLAN, its PVID 10
		bridge ovs0.10 vlan 10 Both bridge=ovs0.10 and vlan=10
	END
	moment=''
}

@test "without ovs-vsctl, the attach is refused before any change with the package to install" {
	local program programs hide=()
	mapfile -t programs < <(type -aP ovs-vsctl)
	for program in "${programs[@]}"; do hide+=(-P "$program"); done
	vif 1 0 bridge ovs0
	libxl_environment vif 1 0
	run host env "${environment[@]}" strace -f -qq -o /dev/null "${hide[@]}" \
		-e "trace=execve,%%stat,?access,?faccessat,?faccessat2" \
		-e "inject=execve,%%stat,?access,?faccessat,?faccessat2:error=ENOENT" \
		"$scripts/vif-openvswitch" online type_if=vif
	refused "needs the command 'ovs-vsctl'"
}

@test "an attach fails in time and leaves nothing if ovs-vswitchd does not answer" {
	local started=$SECONDS
	ovs_bridge ovs0
	vif 1 0 bridge ovs0
	vif 2 0 bridge ovs0
	ovs_online 2 0
	kill -STOP "$ovs_switch"
	run ovs_online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'did not answer within 6 s'
	assert_link_down vif1.0
	[[ "$(ovs_ports)" == 'ovs0 vif2.0' ]]
	ovs_offline 2 0
	[[ ! "$(ovs_ports)" ]]
	host ip link show vif2.0
	((SECONDS - started < in_time))
	kill -CONT "$ovs_switch"
	until_true assert_residue_free
	nodes backend/vif/1/0 hotplug-status ''
	ovs_online 1 0
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "without ovsdb-server, attach and detach fail" {
	ovs_bridge ovs0
	guest 2 ovs0
	ovs_end "$ovs_switch"
	ovs_end "$ovs_database"
	vif 1 0 bridge ovs0
	run ovs_online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'database connection failed'
	assert_link_down vif1.0
	run ovs_offline 2 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/2/0 error 'database connection failed'
	assert_link_down vif2.0
	ovs_start_database
	ovs_offline 1 0
	ovs_offline 2 0
	[[ ! "$(ovs_ports)" ]]
	ovs_start_switch
	until_true assert_residue_free
}

@test "an error for a missing bridge names the bridges that there are" {
	ovs_bridge ovs0
	vif 1 0 bridge xenbr0
	run call vif-openvswitch online vif 1 0 type_if=vif
	assert_refused backend/vif/1/0 error "set bridge= or xl.conf's vif.default.bridge to one of: "
	run call vif-openvswitch plan vif 1 0
	[[ "$status" -eq 1 && $output == *"Open vSwitch has no bridge 'xenbr0'"*'ovs0'* ]]
}

@test "a port of a fake bridge has its VLAN, and VLANs beside that are refused" {
	ovs_bridge ovs0
	host ovs-vsctl --timeout="$generous" add-br fake0 ovs0 10
	vif 1 0 bridge fake0
	ovs_online 1 0
	[[ "$(ovs_get port vif1.0 tag)" == 10 ]]
	[[ "$(host ovs-vsctl --timeout="$generous" port-to-br vif1.0)" == fake0 ]]
	call vif-openvswitch check vif 1 0
	ovs_offline 1 0
	[[ ! "$(ovs_ports)" ]]
	nodes backend/vif/1/0 vlan 20
	run ovs_online 1 0
	assert_refused backend/vif/1/0 error "The bridge 'fake0' is VLAN 10 of another Open vSwitch bridge; remove the VLANs"
	nodes backend/vif/1/0 vlan '' bridge fake0:20
	run call vif-openvswitch plan vif 1 0
	[[ "$status" -eq 1 && "$output" == *"The bridge 'fake0' is VLAN 10"* ]]
	[[ ! "$(ovs_ports)" ]]
}
