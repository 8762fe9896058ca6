# SPDX-License-Identifier: LGPL-2.1-only
# vif-bridge in a real network namespace: what libxl sees, and what the kernel has.

load ../lib/host

setup() {
	host_start
	domain 1
}

teardown() {
	[[ ! ${guest-} ]] || kill "$guest"
	host_stop
}

# link <interface> <jq filter>
# What the kernel says of the interface.
link() {
	host ip -json -details link show dev "$1" | jq -r ".[0] | $2"
}

@test "online makes the vif a port of the named bridge, up, with the address that no bridge takes" {
	bridge xenbr0 other0
	vif 1 0 bridge xenbr0
	online 1 0
	[[ "$(link vif1.0 .master)" == xenbr0 ]]
	[[ "$(link vif1.0 .address)" == fe:ff:ff:ff:ff:ff ]]
	[[ "$(link vif1.0 '.flags | index("UP") != null')" == true ]]
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "offline takes the port off the bridge and leaves nothing" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	offline 1 0
	[[ "$(link vif1.0 '.flags | index("UP") != null')" == false ]]
	assert_residue_free
}

@test "offline again, and offline of what never went online, succeed" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	offline 1 0
	online 1 0
	offline 1 0
	offline 1 0
	assert_residue_free
}

@test "offline succeeds where the kernel has taken the vif away already" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	host ip link del vif1.0
	offline 1 0
	assert_residue_free
}

@test "offline succeeds where the bridge is gone" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	host ip link del xenbr0
	offline 1 0
	assert_residue_free
}

@test "online again repairs a port that was taken off its bridge" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	online 1 0
	host ip link set web0 nomaster down
	online 1 0
	[[ "$(link web0 .master)" == xenbr0 ]]
}

@test "add type_if=tap joins the emulated interface, and writes no status" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 type vif_ioemu
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	[[ "$(link vif1.0-emu .master)" == xenbr0 ]]
	assert_node backend/vif/1/0/hotplug-status ''
	tap_remove 1 0
	assert_residue_free
}

@test "vif and tap of one interface with a vifname have it, and -emu" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web
	vif_link vif1.0-emu tap1.0
	online 1 0
	tap_add 1 0
	[[ "$(link web .master)" == xenbr0 ]]
	[[ "$(link web-emu .master)" == xenbr0 ]]
	tap_remove 1 0
	offline 1 0
	assert_residue_free
	host ip link show vif1.0
	host ip link show vif1.0-emu
}

@test "a tap without XENBUS_PATH is found by its name" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	vif_link vif1.0-emu tap1.0
	host env INTERFACE=vif1.0-emu "$scripts/vif-bridge" add type_if=tap </dev/null
	[[ "$(link vif1.0-emu .master)" == xenbr0 ]]
}

@test "a verb that is for the other kind of interface does nothing" {
	vif 1 0
	call vif-bridge online vif 1 0 type_if=tap
	call vif-bridge add vif 1 0 type_if=vif
	assert_node backend/vif/1/0/hotplug-status ''
	assert_residue_free
}

@test "without a bridge node the only bridge is taken" {
	bridge lonely0
	vif 1 0
	online 1 0
	[[ "$(link vif1.0 .master)" == lonely0 ]]
}

@test "without a bridge node and without a bridge the error says how to make one" {
	vif 1 0
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'This host has no bridge'
	assert_residue_free
}

@test "xenbrN stands for ethN where ethN is the bridge" {
	bridge eth3
	vif 1 0 bridge xenbr3
	online 1 0
	[[ "$(link vif1.0 .master)" == eth3 ]]
}

@test "xenbrN is itself where it exists" {
	bridge eth3 xenbr3
	vif 1 0 bridge xenbr3
	online 1 0
	[[ "$(link vif1.0 .master)" == xenbr3 ]]
}

@test "the port has the bridge's MTU, and the guest's node says so" {
	bridge xenbr0
	host ip link set xenbr0 mtu 1400
	vif 1 0 bridge xenbr0
	online 1 0
	[[ "$(link vif1.0 .mtu)" == 1400 ]]
	assert_node /local/domain/1/device/vif/0/mtu 1400
}

@test "the configured MTU goes before the bridge's" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 mtu 9000
	online 1 0
	[[ "$(link vif1.0 .mtu)" == 9000 ]]
	assert_node /local/domain/1/device/vif/0/mtu 9000
}

@test "a taken vifname is refused, and whose it is keeps it" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	domain 2
	vif 2 0 bridge xenbr0 vifname web0
	online 1 0
	run online 2 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/2/0 error "another interface has that name"
	offline 2 0
	[[ "$(link web0 .master)" == xenbr0 ]]
	[[ "$(link web0 '.flags | index("UP") != null')" == true ]]
}

@test "offline leaves another guest's interface alone that has the vifname by now" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	online 1 0
	host ip link del web0
	domain 2
	vif 2 0 bridge xenbr0 vifname web0
	online 2 0
	offline 1 0
	[[ "$(link web0 .master)" == xenbr0 ]]
	[[ "$(link web0 '.flags | index("UP") != null')" == true ]]
}

@test "a name that is not a bridge is refused, with the script for Open vSwitch in the sentence" {
	host ip link add dummy0 type veth peer name dummy1
	vif 1 0 bridge dummy0
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'script=vif-openvswitch'
	assert_residue_free
}

@test "an interface that does not exist is a clear error" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	host ip link del vif1.0
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'The interface vif1.0 does not exist'
	assert_residue_free
}

@test "the kernel's refusal is in the sentence, and the vifname is given back" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	host ip link del vif1.0
	bridge vif1.0
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'Can not enslave a bridge to a bridge'
	host ip link show vif1.0
	assert_residue_free
}

@test "an error of an earlier attempt is taken out of the store by success" {
	vif 1 0 bridge xenbr0
	run online 1 0
	[[ "$status" -eq 1 ]]
	bridge xenbr0
	online 1 0
	run ! store_has backend/vif/1/0/hotplug-error
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "brctl is not needed, and is not called where it is there" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\ntouch %q/brctl-was-called\nexit 1\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/bin/brctl"
	chmod +x "$BATS_TEST_TMPDIR/bin/brctl"
	bridge xenbr0
	vif 1 0
	PATH=$BATS_TEST_TMPDIR/bin:$PATH online 1 0
	[[ ! -e "$BATS_TEST_TMPDIR/brctl-was-called" ]]
}

@test "a packet from the guest crosses the bridge" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	host ip addr add 10.9.0.1/24 dev xenbr0
	online 1 0
	mkfifo "$BATS_TEST_TMPDIR/guest"
	# shellcheck disable=SC2016 # the inner shell expands
	host setpriv --pdeathsig KILL unshare --net bash -c 'echo "$$" >"$1"; exec sleep infinity' - \
		"$BATS_TEST_TMPDIR/guest" 3>&- &
	read -r guest <"$BATS_TEST_TMPDIR/guest"
	host ip link set guest1.0 netns "$guest"
	nsenter -t "$guest" -n ip addr add 10.9.0.2/24 dev guest1.0
	nsenter -t "$guest" -n ip link set guest1.0 up
	nsenter -t "$guest" -n ping -c1 -W5 10.9.0.1
}

@test "check says whether the port is still as it was attached" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	call vif-bridge check vif 1 0
	host ip link set vif1.0 nomaster
	run call vif-bridge check vif 1 0
	[[ "$status" -eq 1 ]]
	[[ $output == *'broken'*'vif1.0 is not a port of the bridge xenbr0.'* ]]
}

@test "plan names the resources and changes nothing" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	run call vif-bridge plan vif 1 0
	[[ "$status" -eq 0 ]]
	[[ "${lines[0]}" == 'interface vif1.0 web0' ]]
	[[ "${lines[1]}" == "bridge_port web0 xenbr0 ''" ]]
	host ip link show vif1.0
	assert_node backend/vif/1/0/hotplug-status ''
	assert_residue_free
}

@test "help lists the parameters, without a store and without a device" {
	run "$scripts/vif-bridge" help
	[[ "$status" -eq 0 ]]
	[[ $output == *'bridge  (ifname)'* && $output == *'Needs: ip'* ]]
}
