# SPDX-License-Identifier: LGPL-2.1-only
# vif-openvswitch, killed at any moment, with each of its programs failing, and
# with values that are none: the detach that follows leaves nothing.

load ../lib/host
load ../lib/enumerate
load ../lib/ovs

setup() {
	host_start
	domain 1
	ovs_start
	ovs_bridge ovs0
	subject_is vif vif-openvswitch bridge ovs0.10:20 vifname web mtu 1400
	vif_link vif1.0 guest1.0
	subject_nodes
}

teardown() {
	local status=0
	report_moment
	host_stop || status=1
	ovs_stop
	return "$status"
}

# What enumerate.bash does with a bridge of Linux, it does here with one of Open vSwitch.

# assert_port <interface>
assert_port() {
	[[ "$(ovs_ports)" == "ovs0 $1" ]]
	[[ "$(ovs_get port "$1" tag)$(ovs_get port "$1" trunks)$(ovs_get interface "$1" mtu_request)" == '10[20]1400' ]]
	[[ "$(host cat "/sys/class/net/$1/mtu")" == 1400 ]]
}

# assert_nothing_held
assert_nothing_held() {
	local left
	left=$(nothing_held_but)$(host ovs-vsctl --timeout="$generous" --bare --columns=name list port)
	[[ $left == ovs0 ]] || { # the bridge's own port
		echo "left behind: $left"
		return 1
	}
}

@test "an attach killed at any moment is detached without residue" {
	killed_everywhere attach 31
}

@test "a detach killed at any moment is completed by the next one" {
	killed_everywhere detach 30
}

@test "if one of its programs fails, before or after its work, the next detach leaves nothing" {
	local what which tried=0
	mkdir "$BATS_TEST_TMPDIR/bin"
	# shellcheck disable=SC2016 # the stand-in expands
	for what in 'exit 1' '"$real" "$@"; exit 1' '"$real" "$@"; kill -KILL $$'; do
		for which in 'ip 1' 'ip 2' 'ip 3' 'ovs-vsctl 1'; do
			sampled || continue
			subject_nodes
			program_fault attach "${which% *}" "${which#* }" "$what"
			assert_all_or_nothing
			assert_detaches
			subject_nodes
			libxl attach
			libxl_goes
			program_fault detach "${which% *}" "${which#* }" "$what"
			((ended == 0)) || assert_sentence "$(tail -n 1 "$said")"
			assert_detaches
			tried=$((tried + 1))
		done
	done
	assert_works_again
	say_tried "$tried" programs 12
}

# node_tried <node>
# The node has each of the values that are none; counts in the caller's refused.
node_tried() {
	local value
	for value in 'a b' "a'b" 'a"b' $'a\nb' -a -- --db=tcp:192.0.2.1 "\$(touch $BATS_TEST_TMPDIR/pwned)" 'a*' \
		'[ovs0].x' 'ovs0.10,tag=20' 'ovs0 -- del-br ovs0' "ovs0.a[\$(touch $BATS_TEST_TMPDIR/pwned)]" $'\xff\xfe' ../.. / . \
		'@x' '%n' '\n' 'a=b' '#' '[' '[]' '{}' 4294967306 10p/99999999999999999999; do
		sampled || continue
		printf -v moment '%s is %q' "$1" "$value"
		subject_nodes
		xenstore-write -R -- "$subject_path/$1" "$value"
		libxl attach timeout "$in_time"
		[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
		if ((ended != 0)); then
			refused=$((refused + 1))
			assert_ended 1
			assert_nothing_held
			assert_sentence "$(store_get "$subject_path/hotplug-error")"
		fi
		assert_detaches
	done
}

@test "no value of a node does harm" {
	local node refused=0
	# The others are checked before anything of this script is (bad-input.bats).
	for node in bridge vlan vifname; do
		node_tried "$node"
	done
	[[ "$(host ovs-vsctl list-br)" == ovs0 ]]
	assert_works_again
	say_tried "$refused" 'refused values' 60
}
