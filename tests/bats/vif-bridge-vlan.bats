# SPDX-License-Identifier: LGPL-2.1-only
# vif-bridge with vlan=. A veth's other end plays the guest. What filters is the
# kernel; where it cannot, stand-ins tell what it would have been asked.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/frames

setup() {
	host_start
	domain 1
	domain 2
}

teardown() {
	host_stop
}

# filtering_bridge <name>
# One that filters VLANs; skips where there can be none.
filtering_bridge() {
	host ip link add "$1" type bridge vlan_filtering 1 2>/dev/null || skip 'this kernel has no VLAN filtering'
	host ip link set "$1" up
}

# pretended_bridge <name> <0|1>
# One that says of itself that it filters VLANs, or not, and a bridge(8) that
# keeps what it is asked, and at what moment, in the file asked.
pretended_bridge() {
	asked=$BATS_TEST_TMPDIR/asked
	bridge "$1"
	host mount -t tmpfs none "/sys/class/net/$1/bridge"
	host tee "/sys/class/net/$1/bridge/vlan_filtering" <<<"$2" >/dev/null
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/bridge" <<-END
		#!/bin/bash
		echo "bridge \$*, of \$(readlink /sys/class/net/vif1.0/master), flags \$((\$(</sys/class/net/vif1.0/flags) & 1))" >>$asked
		cat >>$asked
	END
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# vlans_of <port>
# Each in a line, with what it is: 10 PVID untagged, 20.
vlans_of() {
	host bridge -json vlan show dev "$1" |
		jq -r '.[].vlans[] | "\(.vlan)\(if .vlanEnd then "-\(.vlanEnd)" else "" end)" +
			([.flags[]? | if . == "PVID" then " PVID" else " untagged" end] | join(""))'
}

# guest <domid> [VLANs]
# Attaches it to xenbr0, and starts its end.
guest() {
	vif "$1" 0 bridge xenbr0 "${@:2}"
	online "$1" 0
	host ip link set "guest$1.0" up
}

# trunk <VLAN>...
# A port of xenbr0, uplink, at whose other end, outside, these have tags.
trunk() {
	local vlan
	host ip link add uplink type veth peer name outside
	host ip link set uplink master xenbr0 up
	host ip link set outside up
	host bridge vlan del dev uplink vid 1
	for vlan; do
		host bridge vlan add dev uplink vid "$vlan"
	done
}

@test "the port gets its VLANs after it joined and before it is up" {
	pretended_bridge xenbr0 1
	vif 1 0 bridge xenbr0 vlan 1p/10-15/20-25u
	online 1 0
	diff - "$asked" <<-'END'
		bridge -batch -, of ../xenbr0, flags 0
		vlan del dev vif1.0 vid 1-4094
		vlan add dev vif1.0 vid 1 untagged pvid
		vlan add dev vif1.0 vid 20-25 untagged
		vlan add dev vif1.0 vid 10-15
	END
	assert_link_up vif1.0
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "without vlan=, bridge(8) is neither called nor needed" {
	pretended_bridge xenbr0 1
	vif 1 0 bridge xenbr0
	online 1 0
	[[ ! -e "$asked" ]]
}

@test "a tap gets the VLANs of vlan=" {
	pretended_bridge xenbr0 1
	vif 1 0 bridge xenbr0 vlan 10
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	grep -x 'vlan add dev vif1.0-emu vid 10 untagged pvid' "$asked"
	assert_link_up vif1.0-emu
}

@test "a bridge that does not filter is refused before any change, with the command that enables it" {
	pretended_bridge xenbr0 0
	vif 1 0 bridge xenbr0 vlan 10
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'ip link set xenbr0 type bridge vlan_filtering 1'
	[[ ! -e "$asked" ]]
	assert_residue_free
}

@test "vlan= is refused if the kernel's bridges cannot filter" {
	bridge xenbr0
	host mount -t tmpfs none /sys/class/net/xenbr0/bridge
	vif 1 0 bridge xenbr0 vlan 10
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "does not filter VLANs"
	assert_residue_free
}

@test "plan reports a bridge that does not filter" {
	pretended_bridge xenbr0 0
	vif 1 0 bridge xenbr0 vlan 10
	run call vif-bridge plan vif 1 0
	[[ "$status" -eq 1 ]]
	[[ "$output" == *'vlan_filtering 1'* ]]
	host tee /sys/class/net/xenbr0/bridge/vlan_filtering <<<1 >/dev/null
	run call vif-bridge plan vif 1 0
	[[ "$status" -eq 0 ]]
	[[ "$output" == *"bridge_port vif1.0 xenbr0 '' 10"* ]]
	[[ ! -e "$asked" ]]
}

@test "an invalid VLAN is refused before any change" {
	local vlan
	pretended_bridge xenbr0 1
	vif 1 0 bridge xenbr0
	for vlan in 0 4095 10/20 10p/10 10p/20p '10;20' "\$(touch $BATS_TEST_TMPDIR/pwned)" $'10\nvlan add dev eth0 vid 1'; do
		nodes backend/vif/1/0 vlan "$vlan" hotplug-status ''
		run online 1 0
		[[ "$status" -eq 1 ]]
		assert_refused backend/vif/1/0 error 'Parameter vlan is '
		assert_residue_free
	done
	[[ ! -e "$asked" && ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

@test "if bridge(8) fails, the error has its reason and the port is removed again" {
	pretended_bridge xenbr0 1
	program "$BATS_TEST_TMPDIR/bin/bridge" <<-'END'
		#!/bin/bash
		echo 'RTNETLINK answers: No space left on device' >&2
		exit 1
	END
	vif 1 0 bridge xenbr0 vlan 10
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'Cannot give vif1.0 the VLANs 10'
	assert_refused backend/vif/1/0 error 'No space left on device'
	assert_link_down vif1.0
	assert_residue_free
}

@test "an attach with VLANs killed at any moment is detached without residue" {
	pretended_bridge xenbr0 1
	subject_is vif vif-bridge bridge xenbr0 vifname web mtu 1400 vlan 10p/20
	vif_link vif1.0 guest1.0
	subject_nodes
	killed_everywhere attach 30
}

@test "without bridge(8), a VLAN is refused with the package to install" {
	local program programs hide=()
	pretended_bridge xenbr0 1
	mapfile -t programs < <(type -aP bridge)
	for program in "${programs[@]}"; do hide+=(-P "$program"); done
	hide=(strace -f -qq -o /dev/null "${hide[@]}" -e "trace=execve,%%stat,?access,?faccessat,?faccessat2"
		-e "inject=execve,%%stat,?access,?faccessat,?faccessat2:error=ENOENT")
	subject_is vif vif-bridge
	vif 1 0 bridge xenbr0 vlan 10
	libxl attach "${hide[@]}"
	assert_ended 1
	assert_refused backend/vif/1/0 error "needs the command 'bridge'"
	assert_residue_free
	nodes backend/vif/1/0 vlan ''
	libxl attach "${hide[@]}"
	assert_ended 0
}

@test "with ip=, tagged frames are filtered like untagged ones" {
	local arrived
	pretended_bridge xenbr0 1
	host ip link set xenbr0 type bridge forward_delay 0
	host ip link add wire type veth peer name other
	host ip link set wire master xenbr0 up
	host ip link set other up
	guest 1 vlan 10p/20 ip '10.0.0.1 fd00::1'
	cat >"$BATS_TEST_TMPDIR/passes" <<-'END'
		arp
		arp tag=81000014 tpa=10.0.0.3
		ipv4 tag=81000014 dst=10.0.0.3
		ipv4 tag=81000000 dst=10.0.0.4
		ipv6 tag=81000014
		dhcp tag=81000014
		icmpv6 tag=81000014 type=136
		icmpv6 tag=81000014 type=135 src6=::
	END
	arrived=$(
		cat "$BATS_TEST_TMPDIR/passes" - <<-'END' | host "$root/tests/frames/send" guest1.0 other ipv4
			ipv4 tag=81000014 src=10.0.0.9
			ipv4 tag=81000014 mac=00:16:3e:00:00:02
			arp tag=81000014 spa=10.0.0.9
			arp tag=81000014 sha=00:16:3e:00:00:02
			ipv6 tag=81000014 src6=fd00::9
			icmpv6 tag=81000014 type=134
			icmpv6 tag=81000014 type=136 target=fd00::9
			icmpv6 tag=81000014 type=135 src6=:: target=fd00::9
			ipv4 tag=8100001481000014 dst=10.0.0.5
			ipv4 tag=88a80014 dst=10.0.0.6
			ipv4 tag=88a8001481000014 dst=10.0.0.7
			other tag=81000014
		END
	)
	host ip link delete wire
	diff "$BATS_TEST_TMPDIR/passes" - <<<"$arrived"
}

@test "learning, flooding and isolation of a port keep the bridge's defaults" {
	local links flags='{learning, flood, mcast_flood, bcast_flood, isolated, hairpin, guard}'
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	host ip link add plain type veth peer name other
	host ip link set plain master xenbr0 up
	mapfile -t links < <(host bridge -details -json link show | jq -c ".[] | $flags")
	host ip link del plain
	[[ ${#links[@]} == 2 && "${links[0]}" == *'"learning":true'* && "${links[0]}" == "${links[1]}" ]]
}

@test "filtered: a port has only the VLANs of its list, without the bridge's default" {
	filtering_bridge xenbr0
	guest 1 vlan 10p/20/30-32/40u
	diff - <(vlans_of vif1.0) <<-'END'
		10 PVID untagged
		20
		30
		31
		32
		40 untagged
	END
	guest 2
	[[ "$(vlans_of vif2.0)" == '1 PVID untagged' ]]
}

@test "filtered: a guest's tagged and untagged frames reach only its own VLANs" {
	filtering_bridge xenbr0
	trunk 10 20 30
	guest 1 vlan 10p/20
	guest 2 vlan 20
	guest 3 vlan 30
	frames_watch 1,10,20,30 outside guest1.0 guest2.0 guest3.0
	frame guest1.0
	until_true got outside '10'
	got guest2.0 '' && got guest3.0 ''
	frame guest1.0 20
	until_true got outside '10 20'
	got guest2.0 untagged && got guest3.0 ''
	frame guest1.0 30
	frame guest1.0 1
	frame guest2.0 30
	frame guest2.0
	until_true got guest1.0 20
	got outside '10 20' && got guest3.0 ''
	frame outside 10
	until_true got guest1.0 '20 untagged'
	frame outside
	frame outside 30
	until_true got guest3.0 untagged
	got guest1.0 '20 untagged' && got guest2.0 untagged
	host ip link del uplink
}

@test "filtered: a detach removes the VLANs, and the next guest's list replaces them" {
	filtering_bridge xenbr0
	guest 1 vlan 10p/20
	offline 1 0
	[[ ! "$(vlans_of vif1.0)" ]]
	nodes backend/vif/1/0 vlan 30
	online 1 0
	[[ "$(vlans_of vif1.0)" == '30 PVID untagged' ]]
	# Again, with others, while it is a port.
	nodes backend/vif/1/0 vlan 40p/41
	online 1 0
	diff - <(vlans_of vif1.0) <<-'END'
		40 PVID untagged
		41
	END
}
