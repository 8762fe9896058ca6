# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug list: what the journals, the nodes and the kernel tell of each device.

load ../lib/host
load ../lib/observe
load ../lib/people
load ../lib/gc
load ../lib/fuse

setup() {
	host_start
}

teardown() {
	local status=0
	[[ ! -v many ]] || rm -rf "$BATS_TEST_TMPDIR/run/xen-hotplug"
	fuse_answers
	host_stop || status=1
	fuse_stop
	return "$status"
}

# row <guest>
# Prints the line of that guest, its blanks as one each.
row() {
	people list | sed -n "/^$1 /s/  */ /gp"
}

# states
# Prints device=state of each device, on a line.
states() {
	people list --json | jq -r '[.[] | .device + "=" + .state] | join(" ")'
}

@test "list has a line for each device, with its guest, script, image or bridge, and state" {
	three_guests
	[[ "$(row guest1)" == "guest1 1 xvda block $image 20"??-??-??' '??:??' ok' ]]
	[[ "$(row guest2)" == 'guest2 2 vif2.0 vif-bridge xenbr0 20'*' ok' ]]
	[[ "$(row guest3)" == "guest3 3 xvda block /dev/null - by Xen's scripts" ]]
	[[ "$(people list | wc -l)" == 4 ]]
	[[ "$(people list | head -n 1)" == GUEST*' ID '*DEVICE*SCRIPT*WHAT*SINCE*STATE ]]
}

@test "list --json has the same as an array of objects, with the paths as they are" {
	local since
	three_guests
	people list --json >"$BATS_TEST_TMPDIR/json"
	jq -e 'length == 3 and all(keys == ["device", "domid", "guest", "name", "reason", "script", "since", "state", "what"])' \
		"$BATS_TEST_TMPDIR/json"
	[[ "$(jq -c '.[0] | del(.since)' "$BATS_TEST_TMPDIR/json")" == "{\"device\":\"vbd/1/51712\",\"guest\":\"guest1\",\"domid\":1,\"name\":\"xvda\",\"script\":\"$scripts/block\",\"what\":\"$image\",\"state\":\"ok\",\"reason\":null}" ]]
	since=$(jq -r '.[0].since' "$BATS_TEST_TMPDIR/json")
	((EPOCHSECONDS - $(date -d "$since" +%s) <= generous))
	[[ "$(jq -r '.[2] | [.state, .since] | @text' "$BATS_TEST_TMPDIR/json")" == '["others",null]' ]]
}

@test "JSON stays valid whatever bytes the nodes have" {
	domain 1
	vbd 1 51712 $'/srv/\x01"\\\xff\xc3\xa4\xed\xa0\x80\x7f.img' hotplug-status connected
	store_set /local/domain/1/name $'we\nb"'
	people list --json >"$BATS_TEST_TMPDIR/json"
	[[ "$(jq -r '.[0].what' "$BATS_TEST_TMPDIR/json")" == $'/srv/\x01"\\\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x7f.img' ]]
	[[ "$(jq -r '.[0].guest' "$BATS_TEST_TMPDIR/json")" == $'we\nb"' ]]
	LC_ALL=C run ! grep -q $'[\x01\x7f]' "$BATS_TEST_TMPDIR/json"
	[[ "$(people list | tail -n 1)" == 'we\nb"'*'/srv/\x01"\\xff'*'\x7f.img'* && "$(people list | wc -l)" == 2 ]]
}

@test "list names what is stale, gone, killed, failed, and not attached yet" {
	local loop
	three_guests
	loop=$(loop_of "$image")
	loop_detach "$loop" "$BATS_TEST_TMPDIR"
	[[ "$(row guest1)" == *"broken: its loop device $loop has no file any more" ]]
	truncate -s -1 "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
	[[ "$(row guest1)" == *'broken: its attach was not completed; detach it' ]]
	vbd 3 51728 /nothing
	run block_add 3 51728
	vbd 3 51744 /nothing
	[[ "$(people list)" == *" failed: Disk '/nothing' does not exist"*' waiting for its script'* ]]
	stale 2 vif
	[[ "$(people list --stale | sed -n 's/  */ /gp')" == *'- 2 vif2.0 vif-bridge xenbr0 20'*' stale' ]]
	[[ "$(states)" == 'vif/2/0=stale vbd/1/51712=broken'* || "$(states)" == 'vbd/1/51712=broken vif/2/0=stale vbd/3/51712=others vbd/3/51728=failed vbd/3/51744=waiting' ]]
	gc vif/2/0
	[[ "$(people list --stale)" == 'Nothing is stale.' ]]
	stale 1 vbd
	[[ "$(people list --stale --json | jq -c '[.[].device]')" == '["vbd/1/51712"]' ]]
}

@test "list names nodes that changed, an interface that is gone, and a device that the store has lost" {
	three_guests
	store_set backend/vbd/1/51712/physical-device fe:0
	[[ "$(row guest1)" == *"broken: its node physical-device is 'fe:0' instead of '7:"* ]]
	host ip link del vif2.0
	[[ "$(row guest2)" == *' broken: its interface vif2.0 is gone' ]]
	stale 1 vbd
	host mount -t tmpfs none /sys/bus
	host mkdir -p /sys/bus/xen-backend/devices/vbd-1-51712
	[[ "$(people list)" == *'broken: the store has lost it, and the kernel still serves domain 1'* ]]
	[[ "$(people list --stale)" == 'Nothing is stale.' ]]
	host umount /sys/bus
}

@test "list says how long a script has been at work, and what it is doing" {
	three_guests
	exec 9<>"$BATS_TEST_TMPDIR/run/xen-hotplug/lock"
	"$root/helpers/xen-hotplug" lock 9:vbd/1/51712
	[[ "$(row guest1)" == *' ok' ]]
	store_set backend/vbd/1/51712/state 6
	[[ "$(row guest1)" == *' detaching' ]]
	store_set backend/vbd/1/51712/state 2 backend/vbd/1/51712/hotplug-status ''
	[[ "$(row guest1)" =~ ' attaching for '[0-9]+' s'$ ]]
	mv "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712" "$BATS_TEST_TMPDIR/kept"
	[[ "$(row guest1)" == *' attaching' ]]
	exec 9>&-
	[[ "$(row guest1)" == *' broken: its journal is lost, and it has the loop device /dev/loop'* ]]
	mv "$BATS_TEST_TMPDIR/kept" "$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712"
}

@test "list reads journals of other versions, of earlier boots, and of nobody" {
	local journal=$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712
	three_guests
	cp "$journal" "$BATS_TEST_TMPDIR/kept"
	printf '%s\0' format 1 9 '' >"$journal"
	[[ "$(row guest1)" == *" unknown: its journal has the format '9' of another version" ]]
	: >"$journal"
	[[ "$(row guest1)" == *'broken: its attach was not completed; detach it' ]]
	ln -sf "$BATS_TEST_TMPDIR/kept" "$journal"
	[[ "$(row guest1)" == *' unknown: its journal '* ]]
	cp --remove-destination "$BATS_TEST_TMPDIR/kept" "$journal"
	boot_again
	[[ "$(row guest1)" == *' broken: its journal is of an earlier boot of this host' ]]
	host umount /proc/sys/kernel/random/boot_id
	rm -rf "${journal:?}"
	mv "$BATS_TEST_TMPDIR/kept" "$journal"
}

@test "list has the tap of an HVM guest, too, by its own name" {
	domain 1
	bridge xenbr0
	vif 1 0 bridge xenbr0
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	online 1 0
	[[ "$(people list --json | jq -r '.[] | .device + " " + .name + " " + .state')" == $'vif/1/0 vif1.0 ok\nvif/1/0-emu vif1.0-emu ok' ]]
}

# on_terminal <columns> <command>...
# Runs it with a terminal as standard output.
on_terminal() {
	local columns=$1
	shift
	# shellcheck disable=SC2016 # the inner shell expands
	env SHELL=/bin/sh script --quiet --return --command "stty cols $columns; $(printf '%q ' "$@")" /dev/null | tr -d '\r'
}

@test "on a terminal no line is wider than it, and in a pipe all values are whole" {
	local columns line LC_ALL=C.UTF-8
	three_guests
	for columns in 40 60 100; do
		on_terminal "$columns" nsenter --target "$host_pid" --mount --net --wd=/ "$root/helpers/xen-hotplug" list >"$BATS_TEST_TMPDIR/shown"
		(($(wc -l <"$BATS_TEST_TMPDIR/shown") >= 4))
		while IFS= read -r line; do
			((${#line} <= columns))
		done <"$BATS_TEST_TMPDIR/shown"
	done
	people list | grep -q "$image"
}

@test "a reader that has seen enough ends list without a sentence" {
	three_guests
	# shellcheck disable=SC2016 # the inner shell expands
	people_under=(sh -c '{ "$@"; echo "$?" >"$0"; } 2>"$0.said" | :' "$BATS_TEST_TMPDIR/status")
	people list
	[[ $(<"$BATS_TEST_TMPDIR/status") == [01] && ! -s $BATS_TEST_TMPDIR/status.said ]]
}

@test "list asks no file server, so that one that is silent does not keep it" {
	domain 1
	domain 2
	fuse_mount "$BATS_TEST_TMPDIR/real" "$BATS_TEST_TMPDIR/view"
	truncate -s 1M "$BATS_TEST_TMPDIR/real/list-silent.img"
	vbd 1 51712 "$BATS_TEST_TMPDIR/view/list-silent.img"
	block_add 1 51712
	image list-local.img
	vbd 2 51712 "$image"
	block_add 2 51712
	kill -STOP "$fuse_pid"
	timeout "$soon" nsenter --target "$host_pid" --mount --net --wd=/ "$root/helpers/xen-hotplug" list --json >"$BATS_TEST_TMPDIR/json"
	[[ "$(jq -c '[.[] | select(.device == ("vbd/1/51712", "vbd/2/51712")) | .state]' "$BATS_TEST_TMPDIR/json")" == '["ok","ok"]' ]]
}

@test "list needs the store, root, and nothing else" {
	[[ "$(people list)" == 'No guest has a device.' ]]
	[[ "$(people list --json | jq -c .)" == '[]' ]]
	XENSTORED_PATH=$BATS_TEST_TMPDIR/none run people list
	[[ $status == 1 && $output == 'Cannot connect to xenstored '* ]]
	three_guests
	chmod 0777 "$STORE_DIR" "$XENSTORED_PATH"
	chmod 0711 "$BATS_TEST_TMPDIR"
	people_under=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	cp "$root/helpers/xen-hotplug" "$BATS_TEST_TMPDIR/xen-hotplug"
	run host "${people_under[@]}" "$BATS_TEST_TMPDIR/xen-hotplug" list
	[[ $status == 1 && $output == *'Cannot '*' as root.' || $output == 'Cannot connect to xenstored '* ]]
	run people list vbd/1/51712
	[[ $status == 2 ]]
}

@test "list shows 1,000 devices in a few round trips" {
	local before
	many=y
	phy_device
	many_guests 1000
	before=$(store_requests)
	timeout "$soon" nsenter --target "$host_pid" --mount --net --wd=/ "$root/helpers/xen-hotplug" list --json >"$BATS_TEST_TMPDIR/json"
	jq -e '[.[] | select(.device | startswith("vbd/"))] | length >= 1000' "$BATS_TEST_TMPDIR/json"
	jq -e '[.[] | select(.state == "ok" and .since == "2026-09-21T14:13:20Z")] | length == 1000' "$BATS_TEST_TMPDIR/json"
	(($(store_requests) - before <= 1000 * 20))
	# As a directory is read whole, and not once for each device.
	store_requests directory
}
