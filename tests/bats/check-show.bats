# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug check and show: devices by the names that people have for them, and what
# their scripts say of each resource.

load ../lib/host
load ../lib/observe
load ../lib/people
load ../lib/gc

setup() {
	host_start
}

teardown() {
	[[ ! -v many ]] || rm -rf "$BATS_TEST_TMPDIR/run/xen-hotplug"
	host_stop
}

@test "check --all judges each resource of each device, and says which have no check" {
	three_guests
	run people check --all
	echo "$output"
	((status == 0))
	[[ $output == 'vbd/1/51712 guest1/xvda: ok
  ok          disk
vif/2/0 guest2/vif2.0: ok
  ok          interface
  ok          address_filter
  ok          forwarding
  ok          bridge_port
  not checked hooks
'"vbd/3/51712 guest3/xvda: by Xen's scripts" ]]
}

@test "check judges every resource, also where one is broken, and its exit status is that of the worst" {
	three_guests
	host ip link set vif2.0 nomaster
	run people check guest2 1
	echo "$output"
	((status == 1))
	[[ $output == *'vbd/1/51712 guest1/xvda: ok'* && $output == *'vif/2/0 guest2/vif2.0: broken'*'ok          forwarding'*'broken      bridge_port: '*'not checked hooks'* ]]
	run people check guest1
	[[ $status == 0 && $output == 'vbd/1/51712 guest1/xvda: ok'$'\n''  ok          disk' ]]
	stale 2 vif
	run people check --all
	[[ $status == 1 && $output == *'vif/2/0 -/vif2.0: stale'* ]]
}

@test "check --json has the verdict of each resource" {
	three_guests
	host ip link set vif2.0 nomaster
	people check --json --all >"$BATS_TEST_TMPDIR/json" || (($? == 1))
	[[ "$(jq -c '[.[] | [.device, .state, (.resources | map(.resource + "=" + .verdict))]]' "$BATS_TEST_TMPDIR/json")" == '[["vbd/1/51712","ok",["disk=ok"]],["vif/2/0","broken",["interface=ok","address_filter=ok","forwarding=ok","bridge_port=broken","hooks=not checked"]],["vbd/3/51712","others",[]]]' ]]
	[[ "$(jq -r '.[1].resources[3].reason' "$BATS_TEST_TMPDIR/json")" == *. ]]
}

@test "check says why a script cannot judge, and starts none that others can change" {
	local journal=$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712
	three_guests
	cp "$journal" "$BATS_TEST_TMPDIR/kept"
	sed -i "s|$scripts/block|$scripts/block-gone|" "$journal"
	run people check 1
	[[ $status == 0 && $output == *'ok          disk' ]]
	sed -i 's|disk|dusk|' "$journal"
	run people check 1
	echo "$output"
	[[ $status == 1 && $output == *"there is no resource 'dusk'"* ]]
	install -m 0777 "$scripts/block" "$BATS_TEST_TMPDIR/mine"
	sed "s|$scripts/block|$BATS_TEST_TMPDIR/mine|" "$BATS_TEST_TMPDIR/kept" >"$journal"
	run people check 1
	echo "$output"
	[[ $status == 1 && $output == *'broken: Its script '*' is not started, because it can be changed'* ]]
	mv "$BATS_TEST_TMPDIR/kept" "$journal"
}

@test "check and show want devices that are there, and say what they take" {
	three_guests
	run people check
	[[ $status == 2 && $output == "'check' needs devices, or --all; see"* ]]
	run people check --all 1
	[[ $status == 2 ]]
	run people show
	[[ $status == 2 && $output == "'show' needs one device; see"* ]]
	run people show web
	[[ $status == 1 && $output == "No device is called 'web'; see 'xen-hotplug list'." ]]
	run people check guest1 vbd/1/51728
	[[ $status == 1 && $output == "No device is called 'vbd/1/51728'; see 'xen-hotplug list'." ]]
	vbd 1 51728 /nothing dev xvdb
	run people show guest1
	[[ $status == 1 && $output == "'guest1' names 2 devices: vbd/1/51712, vbd/1/51728; name one of them." ]]
	XENSTORED_PATH=$BATS_TEST_TMPDIR/none run people show guest1
	[[ $status == 1 && $output == 'Cannot connect to xenstored '* ]]
}

@test "each name that a person may have for a device names it" {
	local name
	three_guests
	store_set backend/vif/2/0/vifname web0
	for name in vbd/1/51712 backend/vbd/1/51712 guest1 1 guest1/xvda 1/xvda; do
		[[ "$(people show "$name")" == 'device    vbd/1/51712'$'\n'* ]]
	done
	for name in vif/2/0 vif2.0 web0 guest2 guest2/web0 guest2/vif2.0; do
		[[ "$(people show "$name")" == 'device    vif/2/0'$'\n'* ]]
	done
	# Disks of a name that libxl has not noted, as of a device that is stale.
	xenstore-rm backend/vbd/1
	for name in 'xvdb1 51729' 'xvdq 268439552' 'xvdaa15 268442127' 'hda 768' 'hdd2 5698' 'sdb1 2065' '7 7' 'xvda 51712'; do
		mv "$BATS_TEST_TMPDIR/run/xen-hotplug/"vbd-1-* "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-${name#* }"
		[[ "$(people show "1/${name% *}" | sed -n 2p)" == "name      ${name% *}" ]]
	done
}

@test "show has the nodes, and each resource with its arguments, its verdict and what it remembers" {
	local loop
	three_guests
	loop=$(loop_of "$image")
	run people show guest1
	echo "$output"
	[[ $output == "device    vbd/1/51712
name      xvda
guest     guest1
domain    1
script    $scripts/block
what      $image
since     20"*"
state     ok

Nodes:
  state = '2'
  hotplug-status = 'connected'
"*"
Resources:
  disk '$image' 'w'
    ok
    token = '"*"'
    kind = 'file'
    device = '$loop'
    number = '7:"* ]]
	[[ $output == *"
Log:
  block: add of vbd/1/51712 done: '$loop' for domain 1, mode w." ]]
	run people show guest3
	[[ $status == 0 && $output != *Log:* && $output == *"state     by Xen's scripts"* && $output != *Resources* ]]
}

@test "check finds one device among 1,000" {
	many=y
	phy_device
	many_guests 1000
	run people check guest777
	echo "$output"
	[[ $status == 0 && $output == 'vbd/777/51712 guest777/xvda: ok'$'\n''  ok          disk' ]]
}
