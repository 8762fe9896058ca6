# SPDX-License-Identifier: LGPL-2.1-only
# The budgets that no noise can move: programs started, and requests to the
# store. `make bench` measures time as well.

load ../lib/host
load ../bench/measure

setup() {
	host_start
	domain 1
}

teardown() {
	host_stop
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

@test "block add of a device sends at most two requests more for each other guest's disk" {
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
