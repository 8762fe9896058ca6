# SPDX-License-Identifier: LGPL-2.1-only
# What no interface can have is refused by each script, in one sentence that
# has the value, before anything is done; and what is just possible is done.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/routed
load ../lib/ovs
load ../lib/iptables

setup() {
	routed_host
	bridge xenbr0
	# The last two have no use for it, but libxl names one.
	declare -gA bridge_of=(['vif-bridge']=xenbr0 ['vif-openvswitch']=ovs0 ['vif-route']=xenbr0 ['vif-nat']=xenbr0)
}

teardown() {
	local status=0
	report_moment
	routed_stop
	host_stop || status=1
	ovs_stop
	return "$status"
}

# each_script <function> [argument...]
# Calls it with the name of each script, and the arguments.
each_script() {
	local script
	for script in "${!bridge_of[@]}"; do
		moment="$script ${*:2}"
		"$1" "$script" "${@:2}"
	done
	moment=''
}

# refuses <script> <part of the sentence> [node value]...
# Guest 1's interface, with these nodes; and nothing of it is done.
refuses() {
	xenstore-rm backend/vif/1 2>/dev/null || :
	# shellcheck disable=SC2317 # vif calls it
	(
		vif_link() { :; }
		vif 1 0 bridge "${bridge_of[$1]}" "${@:3}"
	)
	run call "$1" online vif 1 0 type_if=vif
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "$2"
	assert_unrouted
	assert_link_down vif1.0
}

@test "each script refuses values that are invalid for an interface" {
	local words
	vif_link vif1.0 guest1.0
	while IFS='|' read -r -a words; do
		sampled || continue
		each_script refuses "${words[@]}"
	done <<-END
		192.0.2.300 is not one|ip|192.0.2.300
		which is not a list of IPv4 or IPv6 addresses|ip|web.example
		192.0.2.1/64 is not one|ip|fd00::1 192.0.2.1/64
		fd00::1/129 is not one|ip|192.0.2.1 fd00::1/129
		::ffff:192.0.2.1 is not one|ip|::ffff:192.0.2.1
		192.0.0.0/7 is too wide; prefixes must be /8|ip|192.0.0.0/7
		0.0.0.0/0 is not one|ip|0.0.0.0/0
		2001:db8::/31 is too wide; prefixes must be /32|ip|192.0.2.1 2001:db8::/31
		10.0.0.0/255.0.255.0 is not one|ip|10.0.0.0/255.0.255.0
		'abcdefghijklmnop', which is not the name of an interface|vifname|abcdefghijklmnop
		'web/0', which is not the name of an interface|vifname|web/0
		'../web', which is not the name of an interface|vifname|../web
		'00:16:3e:00:00', which is not a MAC address|mac|00:16:3e:00:00
		'67', which is not an MTU|mtu|67
		'65536', which is not an MTU|mtu|65536
	END
}

@test "each script refuses a vifname that the kernel has for something else" {
	local name
	vif_link vif1.0 guest1.0
	for name in all default lo bonding_masters web%d %d; do
		each_script refuses "'$name', which is not the name of an interface for guests" vifname "$name"
	done
	each_script refuses "The vifname 'vif2.0' is a name that the kernel gives to interfaces itself" vifname vif2.0
	[[ -e $host_root/sys/class/net/vif1.0 && -e $host_root/sys/class/net/lo ]]
	each_script refuses "because another interface has that name" vifname eth0
}

@test "a bridge with a name that the kernel has for something else is refused" {
	local script name
	vif_link vif1.0 guest1.0
	for name in all default lo bonding_masters br%d; do
		for script in vif-bridge vif-openvswitch; do
			vif_nodes 1 0 bridge "$name"
			run call "$script" online vif 1 0 type_if=vif
			[[ "$status" -eq 1 ]]
			assert_refused backend/vif/1/0 error "'$name'"
			[[ "$output" == *'which is not the name of an interface for guests'* ]]
		done
	done
}

@test "each script refuses an mtu that the device cannot have" {
	host ip tuntap add dev vif1.0 mode tap
	ovs_start
	ovs_bridge ovs0
	each_script refuses 'vif1.0 cannot have the MTU 65535; its maximum is 65521, so set mtu=65521 or less' mtu 65535
}

@test "a vifname too long for the suffix -emu of the emulated interface is refused" {
	local script
	vif_link vif1.0-emu tap1.0
	for script in "${!bridge_of[@]}"; do
		vif 1 0 bridge xenbr0 vifname abcdefghijkl
		run call "$script" add vif 1 0 type_if=tap
		[[ "$status" -eq 1 ]]
		assert_refused backend/vif/1/0 error "'abcdefghijkl' is too long"
		host ip link delete vif1.0
		host ip link show vif1.0-emu
	done
}

@test "without nft, each script refuses a guest with ip=" {
	vif_link vif1.0 guest1.0
	ovs_start
	ovs_bridge ovs0
	without nft
	each_script refuses 'install the package nftables' ip 192.0.2.7
	[[ ! "$(ovs_ports)" ]]
}

# assert_64 <script>
# An interface with so many addresses is connected, and uses each family's last one.
assert_64() {
	local addresses many
	printf -v addresses '198.51.100.%d ' {1..32}
	printf -v many '2001:db8:5::%d ' {1..32}
	vif 1 0 bridge "${bridge_of[$1]}" ip "$addresses$many"
	call "$1" online vif 1 0 type_if=vif
	assert_node backend/vif/1/0/hotplug-status connected
	[[ "$(host nft list chain netdev xen_hotplug vif1.0)" == *'198.51.100.32'*'2001:db8:5::32'* ]]
	call "$1" offline vif 1 0 type_if=vif
	assert_unrouted
	host ip link delete vif1.0
}

@test "each script accepts 64 addresses of both families" {
	ovs_start
	ovs_bridge ovs0
	each_script assert_64
}

@test "a guest of vif-nat is refused without any change while another program holds iptables' lock" {
	local lock
	legacy
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	printf 'firewall = iptables\n' >"$tree/hotplug/hotplug.conf"
	vif 1 0
	exec {lock}>"$BATS_TEST_TMPDIR/run/xtables.lock"
	flock --nonblock "$lock"
	run call vif-nat online vif 1 0 type_if=vif
	exec {lock}>&-
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'held the lock of iptables'
	assert_unrouted
	assert_link_down vif1.0
}
