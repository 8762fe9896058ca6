#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# block-drbd with the kernel's DRBD: a resource whose peer is never there.

load ../lib/xen.bash
setup_file() { drbd_make; }
teardown_file() { drbd_remove; }
setup() {
	guest web 11
	before=$(residue)
}
teardown() {
	e2e_teardown
	rm -f "$scripts"/hit-*
	drbdadm secondary r0 2>/dev/null || :
}

backing=$E2E_WORK/drbd.img

# drbd_make
# The resource r0 on a loop device, with /dev/drbd7; r1 is never up.
drbd_make() {
	local device
	modprobe drbd || return
	truncate -s 16M "$backing"
	device=$(losetup --find --show "$backing")
	drbd_config "$device" >/etc/drbd.d/e2e.res
	printf 'global { usage-count no; }\n' >/etc/drbd.d/global_common.conf
	drbdadm create-md --force r0 </dev/null && drbdadm up r0 && drbdadm primary --force r0 && drbdadm secondary r0
}

# drbd_config <device>
drbd_config() {
	cat <<-END
		resource r0 {
			device /dev/drbd7 minor 7;
			disk $1;
			meta-disk internal;
			on $(uname -n) { address 127.0.0.1:7789; }
			on nowhere { address 127.0.0.2:7789; }
		}
		resource r1 {
			device /dev/drbd8 minor 8;
			disk /dev/loop999;
			meta-disk internal;
			on $(uname -n) { address 127.0.0.1:7790; }
			on nowhere { address 127.0.0.2:7790; }
		}
	END
}

# drbd_remove
drbd_remove() {
	drbdadm down r0 || :
	losetup --detach "$(losetup --noheadings --output NAME --associated "$backing")"
	rm -f /etc/drbd.d/e2e.res "$backing"
}

# is_role Primary|Secondary
# events2 is what the script asks, too: here it is /proc/drbd, of DRBD 8.4.
is_role() {
	grep -q "^ 7: .* ro:$1/" /proc/drbd || {
		cat /proc/drbd
		return 1
	}
}

# blank
# No guest has written to the backing device.
blank() {
	dd if=/dev/zero of="$backing" bs=512 count=1 conv=notrunc status=none
	sync -f "$backing"
	blockdev --flushbufs "$(losetup --noheadings --output NAME --associated "$backing")"
}

@test "DRBD: a guest's writes reach the disk below, and the detach demotes the resource" {
	local round
	for round in 1 2 3 4 5; do
		blank
		is_role Secondary
		xl block-attach web script=block-drbd,vdev=xvdb,target=r0
		is_role Primary
		within 30 has_sector "$backing" web xvdb
		XENBUS_PATH=backend/vbd/$(xl domid web)/51728 "$scripts/block-drbd" check
		xl block-detach web xvdb
		is_role Secondary
		same_residue "$before"
	done
}

@test "DRBD: a guest configured with the prefix drbd: runs, and destroy demotes the resource" {
	guest_paused ghost "disk=['drbd:r0,xvda,w']"
	is_role Primary
	xl destroy ghost
	is_role Secondary
	same_residue "$before"
}

@test "DRBD: destroy of a guest that writes leaves the resource Secondary" {
	blank
	guest mail 12 "disk=['script=block-drbd,vdev=xvda,target=r0']"
	within 30 has_sector "$backing" mail xvda
	xl destroy mail
	is_role Secondary
	same_residue "$before"
}

@test "DRBD: a second guest is refused, and the first one keeps the resource" {
	xl block-attach web script=block-drbd,vdev=xvdb,target=r0
	guest_config ghost 99 'memory=96' 'vif=[]' "disk=['script=block-drbd,vdev=xvda,target=r0']"
	refused "by guest 'web'" xl create -p "$E2E_WORK/ghost.cfg"
	is_role Primary
	xl block-detach web xvdb
	is_role Secondary
	same_residue "$before"
}

@test "DRBD: a resource that is unknown, not up or without current data is refused with a sentence" {
	refused "There is no DRBD resource 'r9' on this host" xl block-attach web script=block-drbd,vdev=xvdb,target=r9
	xl block-detach web xvdb
	refused "The DRBD resource 'r1' is not up" xl block-attach web script=block-drbd,vdev=xvdb,target=r1
	xl block-detach web xvdb
	drbdadm outdate r0
	refused "is Outdated here" xl block-attach web script=block-drbd,vdev=xvdb,target=r0
	xl block-detach web xvdb
	drbdadm primary --force r0
	drbdadm secondary r0
	same_residue "$before"
}

# hit <number>
# Makes the script hit-block-drbd, which does as block-drbd, but in an attach is
# killed when it starts a process for that time.
hit() {
	cat >"$scripts/hit-block-drbd" <<-END
		#!/bin/bash
		[[ \$1 == add ]] || exec "$scripts/block-drbd" "\$@"
		exec strace -D -qq -o /dev/null -e trace=clone -e inject=clone:signal=KILL:when=$1 "$scripts/block-drbd" "\$@"
	END
	chmod +x "$scripts/hit-block-drbd"
}

@test "DRBD: an attach succeeds after a killed attach" {
	local start
	for start in 1 2 3 5 6 7; do
		hit "$start"
		run ! xl block-attach web script=hit-block-drbd,vdev=xvdb,target=r0
		xl block-detach web xvdb
		is_role Secondary
		same_residue "$before"
	done
	rm "$scripts/hit-block-drbd"
	xl block-attach web script=block-drbd,vdev=xvdb,target=r0
	is_role Primary
	xl block-detach web xvdb
	is_role Secondary
	same_residue "$before"
}

@test "DRBD: a detach succeeds after the resource was taken down" {
	xl block-attach web script=block-drbd,vdev=xvdb,target=r0
	drbdadm down r0 || : # refused, while the guest has it
	is_role Primary
	xl block-detach web xvdb
	drbdadm down r0
	vbd=/local/domain/0/backend/vbd/99/51712
	xenstore-write "$vbd/params" r0 "$vbd/mode" w "$vbd/frontend-id" 99 "$vbd/state" 5
	XENBUS_PATH=backend/vbd/99/51712 "$scripts/block-drbd" remove
	xenstore-rm /local/domain/0/backend/vbd/99
	drbdadm up r0
	same_residue "$before"
}

@test "DRBD: block-drbd-probe returns the device's status" {
	run "$scripts/block-drbd-probe" /dev/drbd7
	((status == 3))
	run "$scripts/block-drbd-probe" /dev/drbd8
	((status == 4))
	run "$scripts/block-drbd-probe" /dev/null
	((status == 1))
}
