# SPDX-License-Identifier: LGPL-2.1-only
# vif-bridge in a real network namespace: what it does besides what Xen's own
# does, which is in tests/conformance.

load ../lib/host
load ../lib/observe
load ../lib/enumerate

setup() {
	host_start
	domain 1
}

teardown() {
	host_stop
}

@test "a second online restores a port that was removed from its bridge" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	online 1 0
	host ip link set web0 nomaster down
	online 1 0
	[[ "$(link web0 .master)" == xenbr0 ]]
}

@test "offline and remove of a tap restore the kernel's names of the interfaces" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web
	vif_link vif1.0-emu tap1.0
	online 1 0
	tap_add 1 0
	tap_remove 1 0
	offline 1 0
	host ip link show vif1.0
	host ip link show vif1.0-emu
}

@test "without a bridge node, the only bridge is used, even if it has no port" {
	bridge lonely0
	vif 1 0
	online 1 0
	[[ "$(link vif1.0 .master)" == lonely0 ]]
}

@test "without a bridge node and a bridge, the error says how to make a bridge" {
	vif 1 0
	run online 1 0
	assert_refused backend/vif/1/0 error 'This host has no bridge; create one'
}

@test "the refusal of a missing bridge names those that exist" {
	local number
	bridge br0
	bridge br1
	vif 1 0 bridge xenbr0
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "The bridge 'xenbr0' does not exist; create it (ip link add xenbr0 type bridge), or set bridge= or xl.conf's vif.default.bridge to one of: br0 br1."
	for number in {2..9}; do bridge "br$number"; done
	run online 1 0
	assert_refused backend/vif/1/0 error 'one of: br0 br1 br2 br3 br4 br5 br6 br7 and 2 more.'
}

@test "the refusal of a missing bridge says that there is none at all" {
	vif 1 0 bridge xenbr0
	run online 1 0
	assert_refused backend/vif/1/0 error "The bridge 'xenbr0' does not exist, and this host has no other; create it (ip link add xenbr0 type bridge)."
}

@test "check of a port without a bridge node is right when there is a second bridge" {
	bridge lonely0
	vif 1 0
	online 1 0
	bridge second0
	call vif-bridge check vif 1 0
	host ip link set vif1.0 nomaster
	run call vif-bridge check vif 1 0
	[[ "$status" -eq 1 && "$output" == *'vif1.0 is not a port of a bridge.'* ]]
}

@test "check says that a port's bridge is gone, or that it is on another one" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	bridge second0
	host ip link set vif1.0 master second0
	run call vif-bridge check vif 1 0
	[[ "$status" -eq 1 && "$output" == *'vif1.0 is not a port of the bridge xenbr0.'* ]]
	host ip link delete xenbr0
	run call vif-bridge check vif 1 0
	[[ "$status" -eq 1 && "$output" == *'vif1.0 is not a port of the bridge xenbr0.'* ]]
}

@test "an interface that comes a moment after the script is awaited" {
	local call
	bridge xenbr0
	vif_nodes 1 0 bridge xenbr0
	online 1 0 &
	call=$!
	until_true test -s "$BATS_TEST_TMPDIR/run/xen-hotplug/vif-1-0"
	vif_link vif1.0 guest1.0
	wait "$call"
	[[ -e $host_root/sys/class/net/vif1.0/brport ]]
}

@test "a vifname in use is refused with a sentence" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	domain 2
	vif 2 0 bridge xenbr0 vifname web0
	online 1 0
	run online 2 0
	assert_refused backend/vif/2/0 error "The vifname 'web0' belongs to vif/1/0, whose interface is called web0"
}

@test "an interface that is not a bridge is refused" {
	host ip link add dummy0 type veth peer name dummy1
	vif 1 0 bridge dummy0
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'script=vif-openvswitch'
	assert_residue_free
}

# vanishing <device> before|after
# From now on the device is deleted before or after an interface gets its vifname.
vanishing() {
	local ip
	ip=$(type -P ip)
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		[[ "\$* $2" != *" name "*before ]] || $ip link delete $1
		$ip "\$@" || exit
		[[ "\$* $2" != *" name "*after ]] || $ip link delete $1
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "a vif whose guest dies during the attach is said to have vanished" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	vanishing web0 after
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'The interface web0 vanished during the attach, probably because the guest has gone'
}

@test "a vif whose guest dies before it gets its vifname is said to have vanished" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	vanishing vif1.0 before
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'The interface vif1.0 vanished during the attach'
}

@test "a bridge that is deleted during the attach is said to have vanished" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	# What sysfs has of a bridge while it goes.
	mkdir -p "$BATS_TEST_TMPDIR/going/bridge"
	host mount --bind "$BATS_TEST_TMPDIR/going" /sys/devices/virtual/net/xenbr0
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "The bridge 'xenbr0' vanished during the attach of vif1.0; create it again"
}

@test "if the kernel refuses the port, the error has its reason and the interface its old name" {
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

@test "a successful attach removes an earlier error from the store" {
	vif 1 0 bridge xenbr0
	run online 1 0
	[[ "$status" -eq 1 ]]
	bridge xenbr0
	online 1 0
	run ! store_has backend/vif/1/0/hotplug-error
	assert_node backend/vif/1/0/hotplug-status connected
}

@test "brctl is not called, even if it is installed" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\ntouch %q/brctl-was-called\nexit 1\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/bin/brctl"
	chmod +x "$BATS_TEST_TMPDIR/bin/brctl"
	bridge xenbr0
	vif 1 0
	PATH=$BATS_TEST_TMPDIR/bin:$PATH online 1 0
	[[ ! -e "$BATS_TEST_TMPDIR/brctl-was-called" ]]
}

@test "check reports changes of the port since the attach" {
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
	[[ "$output" == *"bridge_port web0 xenbr0 '' ''"* ]]
	host ip link show vif1.0
	assert_node backend/vif/1/0/hotplug-status ''
	assert_residue_free
}

@test "help lists the parameters without a store or a device" {
	run "$scripts/vif-bridge" help
	[[ "$status" -eq 0 ]]
	[[ $output == *'bridge  (ifname)'* && $output == *'Needs: ip'* ]]
}

@test "an interface that other scripts attached is detached by its nodes" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	host ip link set vif1.0 name web0 master xenbr0 up
	of_xenbus web0 backend/vif/1/0
	nodes backend/vif/1/0 online 0 state 6
	offline 1 0
	[[ "$(link vif1.0 .master)" == null ]]
}

@test "a host interface with the configured vifname keeps its name, even after the vif is gone" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname xenbr0
	run online 1 0
	assert_refused backend/vif/1/0 error "another interface has that name"
	host ip link del vif1.0
	offline 1 0
	assert_link_up xenbr0
}

@test "a script's own resource runs after the background commands of earlier resources have ended" {
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	cat >"$scripts/vif-bridge" <<-'END'
		#!/bin/bash
		. "${BASH_SOURCE[0]%/*}/hotplug.sh"
		device vif 'A port that the others are kept from.'
		param bridge ifname 'The bridge.'
		isolation_acquire() { [[ -e /sys/class/net/$1/brport/isolated ]] || fail "$1 is no port yet."; }
		isolation_release() { :; }
		resources() {
			use interface "$vif" "$vifname"
			use bridge_port "$dev" "$bridge" "$mtu"
			use isolation "$dev"
		}
		hotplug "$@"
	END
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	offline 1 0
}

@test "a resource whose name is in a variable is found" {
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	cat >"$scripts/vif-bridge" <<-'END'
		#!/bin/bash
		. "${BASH_SOURCE[0]%/*}/hotplug.sh"
		device vif 'An interface that is a port.'
		param bridge ifname 'The bridge.'
		# Those who use this
		# use no such thing.
		resources() {
			local kind=bridge_port
			use interface "$vif" "$vifname"; use address_filter "$dev" "$mac" ''
			use "$kind" "$dev" "$bridge" "$mtu"
		}
		hotplug "$@"
	END
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	host test -e /sys/class/net/xenbr0/brif/vif1.0
	offline 1 0
}

# ip_that_waits
# Its first start writes the process id of the script, as libxl knows it, into a
# pipe, and waits for ever.
ip_that_waits() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	mkfifo "$BATS_TEST_TMPDIR/begun" "$BATS_TEST_TMPDIR/never"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		cd $BATS_TEST_TMPDIR
		if mv begun began 2>/dev/null; then
			read -r _ _ _ script _ <"/proc/\$PPID/stat"
			echo "\$script" >began
			read -r _ <never
		fi
		exec $(type -P ip) "\$@"
	END
}

@test "SIGTERM during a command rolls the attach back" {
	local signal script started
	bridge xenbr0
	for signal in TERM INT HUP; do # bash starts what is behind & with SIGINT ignored, which changes nothing
		vif 1 0 bridge xenbr0
		ip_that_waits
		PATH=$BATS_TEST_TMPDIR/bin:$PATH online 1 0 &
		started=$!
		until_true test -e "$BATS_TEST_TMPDIR/began"
		read -r -t "$generous" script <>"$BATS_TEST_TMPDIR/began"
		kill -s "$signal" "$script"
		status=0
		wait "$started" || status=$?
		((status == 1))
		assert_refused backend/vif/1/0 error "vif-bridge was ended by SIG$signal before it was done"
		[[ ! "$(host_residue)" ]]
		rm -r "${BATS_TEST_TMPDIR:?}/bin" "$BATS_TEST_TMPDIR/began" "$BATS_TEST_TMPDIR/never"
		host ip link del vif1.0
	done
}

@test "a guest's mtu= changes neither the bridge's MTU nor that of later guests" {
	local mtu
	bridge xenbr0
	host ip link add uplink type veth peer name far
	host ip link set uplink master xenbr0 up
	for mtu in 1400 9000; do
		vif 1 0 bridge xenbr0 mtu "$mtu"
		online 1 0
		[[ "$(link vif1.0 .mtu) $(link xenbr0 .mtu)" == "$mtu 1500" ]]
		vif 1 1 bridge xenbr0
		online 1 1
		[[ "$(link vif1.1 .mtu)" == 1500 ]]
		offline 1 0
		offline 1 1
		[[ "$(link xenbr0 .mtu)" == 1500 ]]
		host ip link delete vif1.0
		host ip link delete vif1.1
	done
	host ip link delete uplink
}

@test "a bridge that is down gets its port, and a warning says so" {
	host ip link add xenbr0 type bridge
	vif 1 0 bridge xenbr0
	run online 1 0
	[[ "$status" -eq 0 && "$output" == *'The bridge xenbr0 is down, so vif1.0 reaches nothing until it is up (ip link set xenbr0 up).'* ]]
	assert_node backend/vif/1/0/hotplug-status connected
	[[ -e $host_root/sys/class/net/xenbr0/brif/vif1.0 ]]
}
