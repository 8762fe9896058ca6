# SPDX-License-Identifier: LGPL-2.1-only
# The budgets that no noise can move: programs started, and requests to the
# store. `make bench` measures time as well.

load ../lib/host
load ../lib/ovs
load ../bench/measure
load ../bench/others

setup() {
	host_start
	domain 1
}

teardown() {
	local status=0
	host_stop || status=1
	ovs_stop
	return "$status"
}

# disk <target>
# Guest 1's, as libxl has it before the add, also where it was attached before;
# in a host in which a call before this one has made what is made once a boot.
disk() {
	vbd 1 51712 "$1"
	block_remove 1 51712
	xenstore-rm backend/vbd/1
	vbd 1 51712 "$1"
}

# programs_of_call <script> <verb> <type> <devid>
# How many programs that call for guest 1 starts.
programs_of_call() {
	local environment
	libxl_environment "$3" 1 "$4"
	programs "$scripts/$1" "$2"
}

# requests_of_add
# How many requests the add of guest 1's disk sends to the store.
requests_of_add() {
	local before
	before=$(store_requests)
	block_add 1 51712 >&2
	echo $(($(store_requests) - before))
}

# set_other_guests <number>
set_other_guests() {
	local pairs=() path value
	while read -r path value; do
		pairs+=("$path" "$value")
	done < <(other_guests "$1")
	store_set "${pairs[@]}"
}

@test "vif-bridge online starts at most 6 programs" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	offline 1 0
	number=$(programs_of_call vif-bridge online vif 0)
	assert_node backend/vif/1/0/hotplug-status connected
	echo "programs: $number"
	[[ "$number" -le 6 ]]
}

# floor_programs <verb>
# How many programs the floor starts.
floor_programs() {
	local environment
	libxl_environment vif 2 0
	programs "$root/tests/bench/floor" "$1"
}

# within_floor <script> <further tools>
# Guest 1's interface is attached and detached by at most twice the programs of
# the floor, and one for each further tool.
within_floor() {
	local verb number floor
	bridge xenbr0
	vif 2 0 bridge xenbr0
	for verb in online offline; do
		number=$(programs_of_call "$1" "$verb" vif 0)
		floor=$(floor_programs "$verb")
		echo "$1 $verb: $number programs, the floor: $floor"
		[[ "$number" -le $((2 * floor + $2)) ]] || return
		[[ $verb == offline ]] || assert_node backend/vif/1/0/hotplug-status connected || return
	done
}

# uplink
# The interface of the host's whose addresses vif-route takes.
uplink() {
	host ip link add eth0 type veth peer name outside
	host ip address add 192.0.2.1/24 dev eth0
	host ip address add 2001:db8::1/64 dev eth0 nodad
	host ip link set eth0 up
}

@test "vif-bridge with ip= starts at most twice the programs of the floor, and nft" {
	vif 1 0 bridge xenbr0 ip '198.51.100.5 2001:db8:5::5'
	within_floor vif-bridge 1
}

@test "vif-route with ip= starts at most twice the programs of the floor, and nft" {
	uplink
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	within_floor vif-route 1
}

@test "vif-nat starts at most twice the programs of the floor, and nft" {
	vif 1 0
	within_floor vif-nat 1
}

@test "vif-openvswitch starts at most twice the programs of the floor, and ovs-vsctl" {
	ovs_start
	ovs_bridge ovs0
	vif 1 0 bridge ovs0
	within_floor vif-openvswitch 1
}

# told_by_kernel
# How many bytes the kernel sends to what an attach of guest 1 starts, in answer
# to nft and ip.
told_by_kernel() {
	local environment trace=$BATS_TEST_TMPDIR/strace.told
	libxl_environment vif 1 0
	host strace -f -qq --seccomp-bpf -e trace=recvmsg -e status=successful -o "$trace" \
		"${environment[@]/#/--env=}" "$scripts/vif-bridge" online type_if=vif </dev/null >&2
	awk '{ bytes += $NF } END { print bytes }' "$trace"
}

@test "vif-bridge with ip= reads as much from the kernel with 100 other guests' filters as with none" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 ip '198.51.100.5 2001:db8:5::5'
	online 1 0 # makes the table
	offline 1 0
	none=$(told_by_kernel)
	offline 1 0
	crowd 100
	many=$(told_by_kernel)
	offline 1 0
	printf 'link set vif%s.0 nomaster\n' {1000..1099} | host ip -batch - # or they pass for ports that were left
	echo "bytes: $none with no other guest, $many with 100"
	[[ "$many" -eq "$none" && "$none" -gt 0 ]]
}

@test "block add of an image file starts at most 4 programs" {
	image disk.img
	disk "$image"
	number=$(programs_of_call block add vbd 51712)
	assert_node backend/vbd/1/51712/hotplug-status connected
	echo "programs: $number"
	[[ "$number" -le 4 ]]
}

@test "block add of a device starts as many programs with 60 guests' disks as with none" {
	phy_device
	disk "$phy"
	none=$(programs_of_call block add vbd 51712)
	set_other_guests 60
	disk "$phy"
	many=$(programs_of_call block add vbd 51712)
	assert_node backend/vbd/1/51712/hotplug-status connected
	echo "programs: $none with no other guest, $many with 60"
	[[ "$many" -eq "$none" ]]
}

@test "block add of a device sends at most two more requests for each other guest's disk" {
	phy_device
	disk "$phy"
	none=$(requests_of_add)
	set_other_guests 60
	disk "$phy"
	many=$(requests_of_add)
	assert_node backend/vbd/1/51712/hotplug-status connected
	echo "requests: $none with no other guest, $many with 60"
	[[ "$many" -le "$((none + 120))" ]]
}
