# SPDX-License-Identifier: LGPL-2.1-only
# What Xen's own scripts do wrong. Each number is that of docs/defects.md. What
# `# upstream:` says above a test is what a line of its output has when those
# scripts fail it; tests/conformance/run looks for that.

load ../lib/host
load ../lib/observe
load ../lib/ovs
load ../lib/enumerate
load ../lib/nbd
load ../lib/drbd
load ../lib/tap

setup() {
	host_start
	domain 1
	domain 2
	image disk.img
}

teardown() {
	local status=0
	[[ ! ${stopped-} ]] || kill -KILL "${stopped[@]}" 2>/dev/null || :
	[[ ! ${nbd_server_pid-} ]] || nbd_serve_no_more
	host_stop || status=1
	ovs_stop
	[[ ! ${tap_control-} ]] || tap_stop
	return "$status"
}

# seen_call <path>
# Tells how the call that bats' run made ended, and what the person reads.
seen_call() {
	local told reason
	told=$(store_get "$1/hotplug-status" 2>/dev/null) || told=none
	reason=$(store_get "$1/hotplug-error" 2>/dev/null) || reason=none
	seen "exit $status, hotplug-status '$told', hotplug-error '$reason'"
}

# programs <command>...
# How many programs the command starts, itself among them.
programs() {
	strace -f -qq -e trace=execve -e status=successful -o "$BATS_TEST_TMPDIR/strace" "$@" >/dev/null
	grep -c 'execve(' "$BATS_TEST_TMPDIR/strace"
}

# programs_of_add <domid> <devid>
programs_of_add() {
	local environment
	libxl_environment vbd "$1" "$2"
	programs nsenter --target "$host_pid" --mount --net --wd=/ -- env "${environment[@]}" "$scripts/block" add
}

# ended <call>...
# A call, which is ended when it takes longer than anything should.
ended() {
	export -f call host libxl_environment block_add block_remove
	export host_pid scripts
	# shellcheck disable=SC2016 # the inner shell expands
	timeout "$generous" bash -c '"$@"' - "$@"
}

# tree <pid>
# The process and all below it.
tree() {
	local child
	echo "$1"
	while read -r child; do
		tree "$child"
	done < <(pgrep -P "$1")
}

# in_background <call>...
# Starts a call, and waits until the store does not answer it: its script is
# then in the middle of its work. Sets script, the pid of the script itself.
in_background() {
	"$@" 3>&- &
	local wrapper=$!
	until grep -qs 'hang' "$STORE_LOG"; do
		kill -0 "$wrapper"
		read -rt 0.02 <> <(:) || :
	done
	script=$(tree "$wrapper" | while read -r pid; do
		[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") != *"$scripts/"* ]] || echo "$pid"
	done | head -n 1)
}

# upstream: seen: exit 0, hotplug-status 'connected'
@test "defect 1: two guests do not get one image read-write" {
	vbd 1 51712 "$image"
	vbd 2 51712 "$image"
	block_add 1 51712
	run block_add 2 51712
	seen_call backend/vbd/2/51712
	[[ "$status" -ne 0 ]]
	assert_node backend/vbd/2/51712/hotplug-status busy
	run ! store_has backend/vbd/2/51712/physical-device
}

# upstream: seen: exit 0, hotplug-status 'connected'
@test "defect 1: a reader and a writer do not share an image, in either order" {
	vbd 1 51712 "$image" mode r
	vbd 2 51712 "$image" mode w
	block_add 1 51712
	run block_add 2 51712
	seen_call backend/vbd/2/51712
	assert_failed backend/vbd/2/51712 busy disk.img
	block_remove 1 51712
	block_add 2 51712
	vbd 1 51728 "$image" mode r
	run block_add 1 51728
	assert_failed backend/vbd/1/51728 busy disk.img
}

# upstream: seen: exit 0, hotplug-status 'connected'
@test "defect 2: domains whose nodes cannot be read are not taken for one VM" {
	phy_device
	vbd 7 51712 "$phy"
	vbd 8 51712 "$phy"
	block_add 7 51712
	run block_add 8 51712
	seen_call backend/vbd/8/51712
	[[ "$status" -ne 0 ]]
	assert_node backend/vbd/8/51712/hotplug-status busy
}

# upstream: seen: exit 0, hotplug-status 'connected'
@test "defect 3: a block device is refused if another guest has its bytes as an image" {
	vbd 1 51712 "$image"
	block_add 1 51712
	phy=$(losetup --find --show "$image")
	vbd 2 51712 "$phy"
	run block_add 2 51712
	seen_call backend/vbd/2/51712
	losetup -d "$phy"
	[[ "$status" -ne 0 ]]
	assert_node backend/vbd/2/51712/hotplug-status busy
}

# upstream: seen: exit 124, hotplug-status 'none'
@test "defect 4: an iSCSI LUN other than number 0 is attached, and its session ends with it" {
	load ../lib/iscsi
	iscsi_start
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	iscsi_vbd 1 51712 "iqn=$iqn,portal=192.0.2.1"
	export -f iscsi_add
	run ended iscsi_add 1 51712
	seen_call backend/vbd/1/51712
	seen "sessions: $(iscsi_sessions)"
	[[ "$status" == 0 ]]
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1)"
	iscsi_remove 1 51712
	[[ ! "$(iscsi_sessions)" ]]
}

# upstream: seen: [0-9]{2,} more programs with 60 guests
@test "defect 5: an attach starts as many programs with 60 guests as with none" {
	local none many guest
	phy_device
	vbd 1 51712 "$phy"
	none=$(programs_of_add 1 51712)
	for ((guest = 100; guest < 160; guest++)); do
		store_set "backend/vbd/$guest/51712/physical-device" "fe:$guest" "backend/vbd/$guest/51712/mode" w
	done
	phy_device
	vbd 2 51728 "$phy"
	many=$(programs_of_add 2 51728)
	assert_node backend/vbd/2/51728/hotplug-status connected
	seen "$((many - none)) more programs with 60 guests"
	[[ "$many" -le "$((none + 2))" ]]
}

# upstream: seen: exit 124
@test "defect 5: the attach of one disk does not wait for that of another" {
	vbd 1 51712 "$image"
	store_fault "write:*/1/51712/*@1=hang"
	in_background block_add 1 51712
	image other.img
	vbd 2 51712 "$image"
	run ended block_add 2 51712
	seen_call backend/vbd/2/51712
	[[ "$status" -eq 0 ]]
	assert_node backend/vbd/2/51712/hotplug-status connected
	# The first one was at work all the time.
	kill -KILL "$script"
}

# upstream: seen: exit 124
@test "defect 6: the wait for a lock ends in time, and the message names its holder" {
	vbd 1 51712 "$image"
	store_fault "write:*/1/51712/*@1=hang"
	in_background block_add 1 51712
	mapfile -t stopped < <(tree "$script")
	kill -STOP "${stopped[@]}"
	store_fault_none
	run ended block_remove 1 51712
	seen_call backend/vbd/1/51712
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/1/51712 error "process ${stopped[0]}" ||
		assert_refused backend/vbd/1/51712 error "process ${stopped[1]}"
}

# upstream: seen: exit 124
@test "defect 7: a child that outlives its script does not keep the lock" {
	vbd 1 51712 "$image"
	store_fault "write:*/1/51712/*@1=hang"
	in_background block_add 1 51712
	mapfile -t stopped < <(tree "$script")
	kill -KILL "$script"
	store_fault_none
	run ended block_remove 1 51712
	seen_call backend/vbd/1/51712
	[[ "$status" -eq 0 ]]
	ended block_add 1 51712
	assert_node backend/vbd/1/51712/hotplug-status connected
}

# upstream: seen: exit 1, .*hotplug-error 'losetup /dev/loop.* failed'
@test "defect 8: an attach succeeds if another program takes the free loop device first" {
	image taken.img
	cp /sbin/losetup "$BATS_TEST_TMPDIR/losetup"
	cat >"$BATS_TEST_TMPDIR/fake" <<-END
		#!/bin/sh
		$BATS_TEST_TMPDIR/losetup "\$@" || exit
		[ "\$*" != -f ] || $BATS_TEST_TMPDIR/losetup -f "$BATS_TEST_TMPDIR/taken.img"
	END
	chmod +x "$BATS_TEST_TMPDIR/fake"
	# Xen's scripts put the system's directories first in PATH.
	host mount --bind "$BATS_TEST_TMPDIR/fake" "$(readlink -f /sbin/losetup)"
	vbd 1 51712 "$BATS_TEST_TMPDIR/disk.img"
	run block_add 1 51712
	seen_call backend/vbd/1/51712
	assert_node backend/vbd/1/51712/hotplug-status connected
}

# upstream: ^/dev/loop.*/disk.img
@test "defect 10: an image deleted before the detach does not keep its loop device" {
	vbd 1 51712 "$image"
	block_add 1 51712
	assert_node backend/vbd/1/51712/hotplug-status connected
	rm "$image"
	block_remove 1 51712
	assert_residue_free
}

# upstream: seen: exit 1, .*hotplug-error 'Could not find bridge device xenbr0'
@test "defect 11: offline succeeds if the bridge is gone" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	online 1 0
	assert_node backend/vif/1/0/hotplug-status connected
	host ip link del xenbr0
	run offline 1 0
	seen_call backend/vif/1/0
	[[ "$status" -eq 0 ]]
	assert_link_down vif1.0
	assert_residue_free
}

# upstream: ^/dev/loop.*/disk.img
@test "defect 12: a failed attach is rolled back" {
	vbd 1 51712 "$image"
	store_fault "write:*physical-device*@1+=ENOSPC"
	run block_add 1 51712
	[[ "$status" -ne 0 ]]
	grep -q ENOSPC "$STORE_LOG"
	assert_residue_free
}

# upstream: ^/dev/loop.*/disk.img
@test "defect 12: a detach releases everything after a killed attach" {
	vbd 1 51712 "$image"
	store_fault "write:*/1/51712/*@1=hang"
	in_background block_add 1 51712
	mapfile -t stopped < <(tree "$script")
	kill -KILL "${stopped[@]}"
	store_fault_none
	run block_remove 1 51712
	seen_call backend/vbd/1/51712
	assert_residue_free
	[[ "$status" -eq 0 ]]
}

# upstream: seen: exit 1, .*error detected
@test "defect 12: the detach of an image that was never attached succeeds" {
	vbd 1 51712 "$image"
	run block_remove 1 51712
	seen_call backend/vbd/1/51712
	[[ "$status" -eq 0 ]]
	assert_residue_free
}

# upstream: seen: exit 1, .*error detected
@test "defect 13: the message of the first error reaches the store" {
	vbd 1 51712 "$image"
	host xenstore-rm backend/vbd/1/51712/params
	run block_add 1 51712
	seen_call backend/vbd/1/51712
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/1/51712 error params
}

# upstream: seen: exit 1, hotplug-status 'connected', hotplug-error 'none'
@test "defect 14: a missing target is named in an error, and is never published as connected" {
	vbd 1 51712 "$BATS_TEST_TMPDIR/missing.img"
	run block_add 1 51712
	seen_call backend/vbd/1/51712
	[[ "$status" -eq 1 ]]
	assert_refused backend/vbd/1/51712 error "missing.img"
}

# upstream: seen: exit 1, hotplug-status '', hotplug-error 'none'
@test "defect 15: an attach succeeds without the log directory" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	rmdir "$BATS_TEST_TMPDIR/varlog/xen"
	run online 1 0
	seen_call backend/vif/1/0
	assert_node backend/vif/1/0/hotplug-status connected
}

# upstream: seen: exit 0, hotplug-status 'connected'
@test "defect 16: an attach fails if the MTU cannot be set" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 mtu 99999
	run online 1 0
	seen_call backend/vif/1/0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 99999
}

# upstream: seen: empty (.*) absent \1$
@test "defect 16: an empty node is distinguished from an absent one" {
	local absent empty
	vbd 1 51712 ''
	run block_add 1 51712
	empty=$(store_get backend/vbd/1/51712/hotplug-error)
	host xenstore-rm backend/vbd/1/51712/params
	run block_add 1 51712
	absent=$(store_get backend/vbd/1/51712/hotplug-error)
	seen "empty $empty absent $absent"
	[[ "$empty" != "$absent" ]]
}

# upstream: seen: exit 1, hotplug-status '', hotplug-error 'none'
@test "defect 16: a failure inside a step is reported" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	host ip link del vif1.0
	run online 1 0
	seen_call backend/vif/1/0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'vif1.0'
}

# upstream: seen: /local/domain/web0/device/vif/web0/mtu
@test "defect 20: with a vifname, the MTU is written to the guest's own node" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0 mtu 1400
	online 1 0
	seen "$(xenstore-ls -f /local/domain | grep '/mtu = "1400"' | grep -v backend)"
	assert_node /local/domain/1/device/vif/0/mtu 1400
	run ! store_has /local/domain/web0
}

# upstream: seen: exit 1, .*Could not find bridge device xenbr0
@test "defect 21: the only bridge is found without brctl, however many ports it has" {
	bridge xenbr0
	vif_link port0 peer0
	vif_link port1 peer1
	host ip link set port0 master xenbr0
	host ip link set port1 master xenbr0
	vif 1 0
	run online 1 0
	seen_call backend/vif/1/0
	[[ "$(link vif1.0 .master)" == xenbr0 ]]
	host ip link del port0
	host ip link del port1
}

# upstream: seen: web0 is a port of null
@test "defect 23: a second guest with a used vifname leaves the first guest's interface up, even when it is detached" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	vif 2 0 bridge xenbr0 vifname web0
	online 1 0
	run online 2 0
	[[ "$status" -eq 1 ]]
	offline 2 0
	seen "web0 is a port of $(link web0 .master)"
	[[ "$(link web0 .master)" == xenbr0 ]]
	assert_link_up web0
}

# upstream: seen: web0 is a port of null
@test "defect 23: offline of a missing interface leaves an interface that now has its vifname alone" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vifname web0
	online 1 0
	host ip link del web0
	vif 2 0 bridge xenbr0 vifname web0
	online 2 0
	offline 1 0
	seen "web0 is a port of $(link web0 .master)"
	[[ "$(link web0 .master)" == xenbr0 ]]
	assert_link_up web0
}

# upstream: seen: the argument was run
@test "defect 32: an argument is not evaluated" {
	bridge xenbr0
	vif 1 0 bridge xenbr0
	call vif-bridge online vif 1 0 type_if=vif "a=\$(touch $BATS_TEST_TMPDIR/pwned)"
	assert_node backend/vif/1/0/hotplug-status connected
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]] || seen 'the argument was run'
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

# upstream: seen: forged frames arrive
@test "defect 17: a guest can send only from the addresses of its ip=" {
	local sent=$'ipv4 src=10.0.0.9\narp spa=10.0.0.9' arrived
	bridge xenbr0
	vif_link port0 wire
	host ip link set port0 master xenbr0 up
	host ip link set wire up
	vif 1 0 bridge xenbr0 ip 10.0.0.1
	online 1 0
	host ip link set guest1.0 up
	arrived=$(host "$root/tests/frames/send" guest1.0 wire ipv4 <<<"$sent")
	host ip link del port0
	[[ ! $arrived ]] || seen 'forged frames arrive'
	[[ ! $arrived ]]
}

# upstream: seen: forged frames arrive
@test "defect 18: a guest can send only from the IPv6 addresses of its ip=" {
	local sent='ipv6 src6=fd00::9' arrived
	bridge xenbr0
	vif_link port0 wire
	host ip link set port0 master xenbr0 up
	host ip link set wire up
	vif 1 0 bridge xenbr0 ip fd00::1
	online 1 0
	host ip link set guest1.0 up
	arrived=$(host "$root/tests/frames/send" guest1.0 wire ipv6 <<<"$sent")
	host ip link del port0
	[[ ! $arrived ]] || seen 'forged frames arrive'
	[[ ! $arrived ]]
}

# upstream: seen: exit 1, .*vif-route failed; error detected
@test "defect 22: vif-route needs no ifconfig" {
	vif_link up0 wire
	host ip address add 10.0.0.254/24 dev up0
	host ip link set up0 up
	[[ ! $(type -P ifconfig) ]] || host mount --bind /dev/null "$(type -P ifconfig)"
	vif 1 0 ip 10.0.0.1 gatewaydev up0
	libxl_environment vif 1 0
	run host env "${environment[@]}" netdev=up0 "$scripts/vif-route" online type_if=vif </dev/null
	seen_call backend/vif/1/0
	[[ "$(host ip -json route show 10.0.0.1 | jq -r '.[0].dev')" == vif1.0 ]]
	assert_node backend/vif/1/0/hotplug-status connected
}

# upstream: seen: connected, without its VLANs
@test "defect 25: vlan= is refused on a bridge that does not filter VLANs" {
	bridge xenbr0
	vif 1 0 bridge xenbr0 vlan 10
	run online 1 0
	[[ "$status" -ne 0 ]] || seen 'connected, without its VLANs'
	[[ "$status" -ne 0 ]]
	assert_node backend/vif/1/0/hotplug-status error
}

# upstream: seen: the route stays
@test "defect 22: without ifconfig, offline of a guest of vif-nat removes its route" {
	[[ ! $(type -P ifconfig) ]] || host mount --bind /dev/null "$(type -P ifconfig)"
	vif 1 0
	call vif-nat online vif 1 0 type_if=vif
	[[ "$(host ip -json route show 10.0.1.1 | jq -r '.[0].dev')" == vif1.0 ]]
	call vif-nat offline vif 1 0 type_if=vif
	[[ ! "$(host ip route show 10.0.1.1)" ]] || seen 'the route stays'
	[[ ! "$(host ip route show 10.0.1.1)" ]]
}

# iptables_asked
# From now on, what iptables is asked is kept in the file asked, and it sees
# bridged packets. Xen's scripts are as Xen wrote them: Debian lets the function
# that sets rules return at once.
iptables_asked() {
	local command
	asked=$BATS_TEST_TMPDIR/asked
	for command in ip{,6}tables{,-restore}; do
		stand_in "$command" <<-END
			#!/bin/sh
			{
				printf '%s\\n' "\${0##*/} \$*"
				case \$0 in *-restore) cat ;; esac
			} >>$asked
		END
	done
	for command in /proc/sys/net/bridge/bridge-nf-call-ip{,6}tables; do
		[[ ! -e $command ]] || host tee "$command" <<<1 >/dev/null
	done
	[[ ! -e $scripts/vif-common.sh ]] || as_written
}

# as_written
as_written() {
	cp -r "$scripts" "$BATS_TEST_TMPDIR/as-written"
	scripts=$BATS_TEST_TMPDIR/as-written
	sed -i '/^handle_iptable()/,/^}/{/^ *return 0$/d}' "$scripts/vif-common.sh"
}

# asked_for <what grep -E finds>
# How many rules with that iptables was asked to add, or to delete.
asked_for() {
	grep -cE -- "^(iptables( -w)? )?$1" "$asked" || :
}

# upstream: seen: 4 rules for what goes to the guest, and 2
@test "defect 19: a guest with three addresses has as many rules for packets to it as one with one" {
	local one three
	bridge xenbr0
	iptables_asked
	vif 1 0 bridge xenbr0 ip 10.0.0.1
	vif 2 0 bridge xenbr0 ip '10.0.0.2 10.0.0.3 10.0.0.4'
	online 1 0
	online 2 0
	one=$(asked_for '-I .*--physdev-out vif1\.0( |$)') three=$(asked_for '-I .*--physdev-out vif2\.0( |$)')
	seen "$three rules for what goes to the guest, and $one"
	((three == one))
}

# upstream: seen: 2 rules were added, and 0 deleted
@test "defect 11: offline removes the iptables rules even if the bridge is gone" {
	local added
	bridge xenbr0
	iptables_asked
	vif 1 0 bridge xenbr0
	online 1 0
	host ip link del xenbr0
	run offline 1 0
	added=$(asked_for '-I FORWARD')
	seen "$added rules were added, and $(asked_for '-D FORWARD') deleted"
	((added == $(asked_for '-D FORWARD')))
}

# upstream: seen: iptables was given an IPv6 address
@test "defect 18: no IPv6 address is passed to iptables" {
	bridge xenbr0
	iptables_asked
	vif 1 0 bridge xenbr0 ip '10.0.0.1 fd00::1'
	online 1 0
	! grep -E '^iptables .*fd00::1' "$asked" || seen 'iptables was given an IPv6 address'
	run ! grep -E '^iptables .*fd00::1' "$asked"
}

# upstream: seen: exit 1, .*No valid bridge was specified
@test "defect 24: the name of an Open vSwitch bridge may contain a full stop" {
	local spelling
	ovs_start
	ovs_bridge br.lan
	for spelling in br.lan '[br.lan]'; do
		vif 1 0 bridge "$spelling"
		run call vif-openvswitch online vif 1 0 type_if=vif
		seen_call backend/vif/1/0
		((status)) || break
		host ip link delete vif1.0
	done
	[[ "$(ovs_ports)" == 'br.lan vif1.0' ]]
}

# upstream: seen: exit 1, .*"xen-vm-name"="my guest" .*failed
@test "defect 24: the name of a VM may contain a space" {
	ovs_start
	ovs_bridge ovs0
	store_set /local/domain/1/name 'my guest' /vm/0000-1/name 'my guest' /vm/0000-1/uuid 0000-1
	vif 1 0 bridge ovs0
	run call vif-openvswitch online vif 1 0 type_if=vif
	seen_call backend/vif/1/0
	[[ "$(ovs_get interface vif1.0 external-ids:xen-vm-name)" == '"my guest"' ]]
}

# upstream: seen: no hook was called
@test "defect 24: hooks are called on Open vSwitch" {
	local hooks=$BATS_TEST_TMPDIR/etc/xen/scripts
	mkdir -p "$hooks/vif-post.d"
	printf '#!/bin/bash\ntouch %q\n' "$BATS_TEST_TMPDIR/hooked" >"$hooks/vif-post.d/10.hook"
	chmod +x "$hooks/vif-post.d/10.hook"
	# Xen's are looked for there, ours beside the scripts.
	host mount -t overlay -o "lowerdir=$BATS_TEST_TMPDIR/etc:/etc" overlay /etc
	host mount -t overlay -o "lowerdir=$hooks:$scripts" overlay "$scripts"
	ovs_start
	ovs_bridge ovs0
	store_set /vm/0000-1/name guest1 /vm/0000-1/uuid 0000-1
	vif 1 0 bridge ovs0
	call vif-openvswitch online vif 1 0 type_if=vif
	assert_node backend/vif/1/0/hotplug-status connected
	[[ -e "$BATS_TEST_TMPDIR/hooked" ]] || seen 'no hook was called'
	[[ -e "$BATS_TEST_TMPDIR/hooked" ]]
}

# upstream: seen: the port's VLAN is \[\]
@test "defect 25: vlan= sets the VLAN of an Open vSwitch port" {
	ovs_start
	ovs_bridge ovs0
	store_set /vm/0000-1/name guest1 /vm/0000-1/uuid 0000-1
	vif 1 0 bridge ovs0 vlan 10
	call vif-openvswitch online vif 1 0 type_if=vif
	seen "the port's VLAN is $(ovs_get port vif1.0 tag)"
	[[ "$(ovs_get port vif1.0 tag)" == 10 ]]
}

# upstream: seen: exit 1, hotplug-status 'none'
@test "defect 26: an NBD disk is attached and detached with the arguments that libxl passes" {
	nbd_start
	nbd_serve disk
	vbd 1 51712 host=127.0.0.1,export=disk
	run call block-nbd add vbd 1 51712
	seen_call backend/vbd/1/51712
	[[ "$status" -eq 0 ]]
	assert_node backend/vbd/1/51712/hotplug-status connected
	assert_node backend/vbd/1/51712/physical-device 2b:0
	call block-nbd remove vbd 1 51712
	[[ ! "$(nbd_devices)" ]]
}

# upstream: seen: exit 1 for a device with protocol C
@test "defect 27: block-drbd-probe returns the documented status" {
	drbd_start 8.3
	drbd_resource r0
	run host "$scripts/block-drbd-probe" "/dev/drbd${phy#/dev/loop}"
	((status == 3)) || seen "exit $status for a device with protocol C"
	((status == 3))
}

# tapdisk_shared
# Guest 1 has an image of tapdisk to write; guest 2 is about to have it, too, to read.
tapdisk_shared() {
	tap_start
	vhd_image disk.vhd
	vbd3 1 51712 "vhd:$image"
	call block-tap add vbd3 1 51712
	vbd3 2 51712 "vhd:$image" mode r
}

# upstream: from 4.19: seen: exit 0, hotplug-status 'connected'
@test "defect 30: an image is refused if tapdisk writes it for a disk without a mode in the store" {
	tapdisk_shared
	xenstore-rm backend/vbd3/1/51712/mode
	run call block-tap add vbd3 2 51712
	seen_call backend/vbd3/2/51712
	[[ "$status" -eq 1 ]]
	call block-tap remove vbd3 1 51712
}

# upstream: from 4.19: seen: exit 127, hotplug-status 'none', hotplug-error 'none'
@test "defect 33: an image that tapdisk writes for another guest is refused as busy" {
	tapdisk_shared
	run call block-tap add vbd3 2 51712
	seen_call backend/vbd3/2/51712
	assert_failed backend/vbd3/2/51712 busy "disk.vhd"
	call block-tap remove vbd3 1 51712
}
