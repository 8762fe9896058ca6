# SPDX-License-Identifier: LGPL-2.1-only
# vif-openvswitch, as libxl calls it, with an Open vSwitch that switches in user
# space: what Xen's own script does, and any other has to do.

load ../lib/host
load ../lib/observe
load ../lib/frames
load ../lib/ovs

setup() {
	host_start
	domain 1
	domain 2
	store_set /vm/0000-1/name guest1 /vm/0000-1/uuid 0000-1 /vm/0000-2/name guest2 /vm/0000-2/uuid 0000-2
	ovs_start
	ovs_bridge ovs0
}

teardown() {
	local status=0
	host_stop || status=1
	ovs_stop
	return "$status"
}

# The calls, each with the ids of the device.
ovs_online() { call vif-openvswitch online vif "$1" "$2" type_if=vif; }
ovs_offline() { call vif-openvswitch offline vif "$1" "$2" type_if=vif; }

# go_online <domid> <devid>
# A test of what follows must not begin without it.
go_online() {
	ovs_online "$1" "$2" && assert_node "backend/vif/$1/$2/hotplug-status" connected
}

@test "contract: vif-openvswitch: online makes the vif a port that is up and has the address fe:ff:ff:ff:ff:ff" {
	vif 1 0 bridge ovs0
	go_online 1 0
	[[ "$(ovs_ports)" == 'ovs0 vif1.0' ]]
	[[ "$(link vif1.0 .address)" == fe:ff:ff:ff:ff:ff ]]
	assert_link_up vif1.0
}

@test "contract: vif-openvswitch: the port has the external-ids of the guest" {
	vif 1 0 bridge ovs0
	go_online 1 0
	[[ "$(ovs_get interface vif1.0 external-ids:attached-mac)" == '"00:16:3e:00:00:01"' ]]
	[[ "$(ovs_get interface vif1.0 external-ids:xen-vm-name)" == guest1 ]]
	[[ "$(ovs_get interface vif1.0 external-ids:xen-vm-uuid)" == '"0000-1"' ]]
}

@test "contract: vif-openvswitch: a VLAN after a full stop is the port's tag, and VLANs after colons are its trunks" {
	vif 1 0 bridge ovs0.10
	vif 2 0 bridge ovs0:20:30
	go_online 1 0
	go_online 2 0
	[[ "$(ovs_get port vif1.0 tag)" == 10 ]]
	[[ "$(ovs_get port vif2.0 trunks)" == '[20, 30]' ]]
}

@test "contract: vif-openvswitch: online writes hotplug-status, and no other node" {
	vif 1 0 bridge ovs0
	nodes_remember
	ovs_online 1 0
	assert_changed 'gone or other: /local/domain/0/backend/vif/1/0/hotplug-status' \
		'/local/domain/0/backend/vif/1/0/hotplug-status = "connected"'
}

@test "contract: vif-openvswitch: online that succeeds prints nothing" {
	vif 1 0 bridge ovs0
	run ovs_online 1 0
	[[ "$status" -eq 0 && -z "$output" ]]
}

@test "contract: vif-openvswitch: offline removes the port, writes no node, and succeeds twice" {
	vif 1 0 bridge ovs0
	go_online 1 0
	nodes_remember
	ovs_offline 1 0
	[[ ! "$(ovs_ports)" ]]
	assert_link_down vif1.0
	ovs_offline 1 0
	assert_at_most_gone backend/vif/1/0 hotplug-status
}

@test "contract: vif-openvswitch: offline succeeds without an online" {
	vif 1 0 bridge ovs0
	ovs_offline 1 0
}

@test "contract: vif-openvswitch: offline removes the port's record without the vif and the guest's own nodes" {
	vif 1 0 bridge ovs0
	go_online 1 0
	nodes backend/vif/1/0 online 0 state 5
	xenstore-rm /local/domain/1
	host ip link del vif1.0
	ovs_offline 1 0
	[[ ! "$(ovs_ports)" ]]
}

@test "contract: vif-openvswitch: offline of one guest leaves another guest's port unchanged" {
	vif 1 0 bridge ovs0
	vif 2 0 bridge ovs0
	go_online 1 0
	go_online 2 0
	ovs_offline 1 0
	[[ "$(ovs_ports)" == 'ovs0 vif2.0' ]]
	assert_link_up vif2.0
}

@test "contract: vif-openvswitch: a stale port of an earlier guest is replaced" {
	ovs_bridge ovs1
	host ovs-vsctl --no-wait add-port ovs1 vif1.0 tag=7
	vif 1 0 bridge ovs0
	go_online 1 0
	[[ "$(ovs_ports)" == 'ovs0 vif1.0' ]]
	[[ "$(ovs_get port vif1.0 tag)" == '[]' ]]
}

@test "contract: vif-openvswitch: a vifname becomes the name of the interface and the port" {
	vif 1 0 bridge ovs0 vifname web0
	go_online 1 0
	[[ "$(ovs_ports)" == 'ovs0 web0' ]]
	ovs_offline 1 0
	[[ ! "$(ovs_ports)" ]]
}

@test "contract: vif-openvswitch: a tap is a port that is removed on its own, and its calls write no node" {
	vif 1 0 bridge ovs0 type vif_ioemu
	vif_link vif1.0-emu tap1.0
	go_online 1 0
	nodes_remember
	call vif-openvswitch add vif 1 0 type_if=tap
	[[ "$(ovs_ports | sort)" == $'ovs0 vif1.0\novs0 vif1.0-emu' ]]
	assert_link_up vif1.0-emu
	call vif-openvswitch remove vif 1 0 type_if=tap
	[[ "$(ovs_ports)" == 'ovs0 vif1.0' ]]
	assert_changed
}

@test "contract: vif-openvswitch: online fails for a bridge that does not exist, and names it" {
	vif 1 0 bridge ovs9
	run ovs_online 1 0
	assert_failed backend/vif/1/0 error ovs9
	[[ ! "$(ovs_ports)" ]]
}

@test "contract: vif-openvswitch: online fails for an invalid VLAN" {
	vif 1 0 bridge ovs0.5000
	run ovs_online 1 0
	assert_failed backend/vif/1/0 error ''
	[[ ! "$(ovs_ports)" ]]
}

@test "contract: vif-openvswitch: a frame of one guest arrives at another" {
	vif 1 0 bridge ovs0
	vif 2 0 bridge ovs0
	go_online 1 0
	go_online 2 0
	host ip link set guest1.0 up
	host ip link set guest2.0 up
	frames_watch 1 guest2.0
	# Open vSwitch takes the port up in its own time.
	arrives() { frame guest1.0 && got guest2.0 untagged; }
	until_true arrives >/dev/null
}
