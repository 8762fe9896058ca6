# SPDX-License-Identifier: LGPL-2.1-only
# vif-bridge, as libxl calls it and the kernel's backend waits for it: what
# Xen's own script does, and any other has to do.

load ../lib/host
load ../lib/observe

setup() {
	driver_domain=$BATS_TEST_TMPDIR/store/domain7
	host_start --listen "$driver_domain:7"
	domain 1
	domain 2
}

teardown() {
	[[ ! ${guest-} ]] || kill "$guest"
	host_stop
}

# go_online <domid> <devid>
# A test of what follows must not begin without it.
go_online() {
	online "$1" "$2" && assert_node "backend/vif/$1/$2/hotplug-status" connected
}

@test "contract: online makes the vif a port of the named bridge that is up and has the address fe:ff:ff:ff:ff:ff" {
	bridge xenbr0 other0
	vif 1 0 bridge xenbr0
	go_online 1 0
	[[ "$(link vif1.0 .master)" == xenbr0 ]]
	[[ "$(link vif1.0 .address)" == fe:ff:ff:ff:ff:ff ]]
	assert_link_up vif1.0
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "contract: online writes hotplug-status and the guest's mtu, and no other node" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	nodes_remember
	online 1 0
	assert_changed 'gone or other: /local/domain/0/backend/vif/1/0/hotplug-status' \
		'/local/domain/0/backend/vif/1/0/hotplug-status = "connected"' '/local/domain/1/device/vif/0/mtu = "1500"'
}

@test "contract: connected is the last node that online writes" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 mtu 1400
	go_online 1 0
	[[ "$(last_written)" == backend/vif/1/0/hotplug-status ]]
}

@test "contract: online that succeeds prints nothing" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	run online 1 0
	[[ "$status" -eq 0 ]]
	[[ -z "$output" ]]
}

@test "contract: online removes the vif's own addresses" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	host ip address add 10.9.0.7/24 dev vif1.0
	go_online 1 0
	[[ "$(host ip -json address show dev vif1.0 | jq '[.[0].addr_info[] | select(.family == "inet")] | length')" == 0 ]]
}

@test "contract: offline removes the port from the bridge and leaves nothing" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	go_online 1 0
	offline 1 0
	assert_link_down vif1.0
	assert_residue_free
}

@test "contract: offline writes no node" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	go_online 1 0
	nodes_remember
	offline 1 0
	assert_at_most_gone backend/vif/1/0 hotplug-status
}

@test "contract: offline succeeds twice, and without an online" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	offline 1 0
	go_online 1 0
	offline 1 0
	offline 1 0
	assert_residue_free
}

@test "contract: offline succeeds after the kernel has removed the vif" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	go_online 1 0
	host ip link del vif1.0
	offline 1 0
	assert_residue_free
}

@test "contract: offline succeeds after the guest's own nodes were deleted" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	go_online 1 0
	nodes backend/vif/1/0 online 0 state 5
	xenstore-rm /local/domain/1
	offline 1 0
	assert_residue_free
}

@test "contract: offline of one guest leaves another guest's port unchanged" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	vif 2 0 bridge xenbr0
	go_online 1 0
	go_online 2 0
	offline 1 0
	[[ "$(link vif2.0 .master)" == xenbr0 ]]
	assert_link_up vif2.0
}

@test "contract: interfaces of several guests go online at the same time" {
	local guest calls=()
	bridge xenbr0
	for guest in 1 2 3 4; do
		vif "$guest" 0 bridge xenbr0
	done
	for guest in 1 2 3 4; do
		online "$guest" 0 3>&- &
		calls+=($!)
	done
	for guest in 1 2 3 4; do
		wait "${calls[guest - 1]}"
		[[ "$(link "vif$guest.0" .master)" == xenbr0 ]]
	done
	guest=''
}

@test "contract: a vifname becomes the interface's name" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	go_online 1 0
	[[ "$(link web0 .master)" == xenbr0 ]]
	run ! host ip link show dev vif1.0
	assert_node backend/vif/1/0/hotplug-status connected
	offline 1 0
	assert_residue_free
}

@test "contract: a vifname in use is refused, and its interface stays unchanged" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	vif 2 0 bridge xenbr0 vifname web0
	go_online 1 0
	run online 2 0
	assert_failed backend/vif/2/0 error web0
	[[ "$(link web0 .master)" == xenbr0 ]]
	assert_link_up web0
}

@test "contract: add type_if=tap joins the emulated interface, and writes no node" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 type vif_ioemu
	vif_link vif1.0-emu tap1.0
	nodes_remember
	tap_add 1 0
	[[ "$(link vif1.0-emu .master)" == xenbr0 ]]
	assert_link_up vif1.0-emu
	tap_remove 1 0
	assert_changed
	assert_residue_free
}

@test "contract: the emulated interface has the configured MTU" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 type vif_ioemu mtu 1400
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	[[ "$(link vif1.0-emu .mtu)" == 1400 ]]
}

@test "contract: with a vifname, the vif has that name and the tap has it with -emu" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web
	vif_link vif1.0-emu tap1.0
	go_online 1 0
	tap_add 1 0
	[[ "$(link web .master)" == xenbr0 ]]
	[[ "$(link web-emu .master)" == xenbr0 ]]
	tap_remove 1 0
	offline 1 0
	assert_residue_free
}

@test "contract: a tap without XENBUS_PATH is found by its name" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	vif_link vif1.0-emu tap1.0
	host env INTERFACE=vif1.0-emu "$scripts/vif-bridge" add type_if=tap </dev/null
	[[ "$(link vif1.0-emu .master)" == xenbr0 ]]
}

@test "contract: remove type_if=tap succeeds after QEMU has removed the tap" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	[[ "$(link vif1.0-emu .master)" == xenbr0 ]]
	host ip link del vif1.0-emu
	tap_remove 1 0
	assert_residue_free
}

@test "contract: a verb of the other kind of interface does nothing" {
	vif 1 0
	nodes_remember
	call vif-bridge online vif 1 0 type_if=tap
	call vif-bridge offline vif 1 0 type_if=tap
	call vif-bridge add vif 1 0 type_if=vif
	call vif-bridge remove vif 1 0 type_if=vif
	assert_changed
	assert_residue_free
}

@test "contract: without type_if, the interface is a vif" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	call vif-bridge online vif 1 0
	assert_node backend/vif/1/0/hotplug-status connected
	call vif-bridge offline vif 1 0
	assert_residue_free
}

@test "contract: an unknown verb for an interface fails without an attach" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	run call vif-bridge attach vif 1 0 type_if=vif
	[[ "$status" -eq 1 ]]
	assert_residue_free
}

@test "contract: without a bridge node, the only bridge, which has a port, is used" {
	bridge lonely0
	vif_link port0 peer0
	host ip link set port0 master lonely0
	vif 1 0
	go_online 1 0
	[[ "$(link vif1.0 .master)" == lonely0 ]]
	host ip link del port0
}

@test "contract: without a bridge node and a bridge, online fails with a message" {
	vif 1 0
	run online 1 0
	assert_failed backend/vif/1/0 error bridge
	assert_residue_free
}

@test "contract: online fails for a bridge that does not exist, and names it" {
	bridge xenbr0
	vif 1 0 bridge nowhere0
	run online 1 0
	assert_failed backend/vif/1/0 error nowhere0
	assert_residue_free
}

@test "contract: online fails for an interface that does not exist" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	host ip link del vif1.0
	run online 1 0
	[[ "$status" -eq 1 ]]
	[[ "$(store_get backend/vif/1/0/hotplug-status)" != connected ]]
	assert_residue_free
}

@test "contract: an online that failed can be tried again" {
	vif 1 0 bridge xenbr0
	run online 1 0
	assert_failed backend/vif/1/0 error xenbr0
	bridge xenbr0
	go_online 1 0
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "contract: xenbrN means ethN if only ethN is a bridge" {
	bridge eth3
	vif 1 0 bridge xenbr3
	go_online 1 0
	[[ "$(link vif1.0 .master)" == eth3 ]]
}

@test "contract: xenbrN is used if it exists" {
	bridge eth3 xenbr3
	vif 1 0 bridge xenbr3
	go_online 1 0
	[[ "$(link vif1.0 .master)" == xenbr3 ]]
}

@test "contract: the port has the bridge's MTU, and the guest's node says so" {
	bridge xenbr0
	host ip link set xenbr0 mtu 1400
	vif 1 0 bridge xenbr0
	go_online 1 0
	[[ "$(link vif1.0 .mtu)" == 1400 ]]
	assert_node /local/domain/1/device/vif/0/mtu 1400
}

@test "contract: the configured MTU overrides the bridge's" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 mtu 9000
	go_online 1 0
	[[ "$(link vif1.0 .mtu)" == 9000 ]]
	assert_node /local/domain/1/device/vif/0/mtu 9000
}

@test "contract: in a driver domain, an interface's nodes are in the domain's own directory" {
	bridge xenbr0
	vif 1 0
	store_set /local/domain/7/backend/vif/1/0/bridge xenbr0 /local/domain/7/backend/vif/1/0/frontend-id 1 \
		/local/domain/7/backend/vif/1/0/frontend /local/domain/1/device/vif/0 /local/domain/7/backend/vif/1/0/state 2 \
		/local/domain/1/device/vif/0/mtu ''
	xenstore-chmod -r /local/domain/7 n7
	xenstore-chmod /local/domain/1/device/vif/0/mtu n7 r1
	XENSTORED_PATH=$driver_domain online 1 0
	assert_node /local/domain/7/backend/vif/1/0/hotplug-status connected
	assert_node /local/domain/1/device/vif/0/mtu 1500
	assert_node backend/vif/1/0/hotplug-status ''
	XENSTORED_PATH=$driver_domain offline 1 0
	assert_residue_free
}

@test "contract: interfaces that are attached and detached leave nothing in /run" {
	local before
	bridge xenbr0
	vif 1 0 bridge xenbr0
	vif 2 0 bridge xenbr0
	go_online 1 0
	offline 1 0
	before=$(host find /run -mindepth 1)
	go_online 2 0
	offline 2 0
	[[ "$(host find /run -mindepth 1)" == "$before" ]]
}

@test "contract: a packet from the guest crosses the bridge" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	host ip addr add 10.9.0.1/24 dev xenbr0
	go_online 1 0
	mkfifo "$BATS_TEST_TMPDIR/guest"
	# shellcheck disable=SC2016 # the inner shell expands
	host setpriv --pdeathsig KILL unshare --net bash -c 'echo "$$" >"$1"; exec sleep infinity' - \
		"$BATS_TEST_TMPDIR/guest" 3>&- &
	read -r -t "$generous" guest <>"$BATS_TEST_TMPDIR/guest"
	host ip link set guest1.0 netns "$guest"
	nsenter -t "$guest" -n ip addr add 10.9.0.2/24 dev guest1.0
	nsenter -t "$guest" -n ip link set guest1.0 up
	until_true nsenter -t "$guest" -n ping -c1 -W1 10.9.0.1
}
