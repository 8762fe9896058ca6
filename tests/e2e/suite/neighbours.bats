#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Next to the scripts of others, which check and publish under Xen's lock.

load ../lib/xen.bash
setup_file() { drbd_make; }
teardown_file() {
	xl destroy mail || :
	drbd_remove
}
teardown() {
	rm -f "$scripts/block-linbit"
	e2e_teardown
}

backing=$E2E_WORK/linbit.img

# drbd_make
# The resource linbit on a loop device: /dev/drbd6.
drbd_make() {
	local device
	modprobe drbd || return
	truncate -s 16M "$backing"
	device=$(losetup --find --show "$backing")
	cat >/etc/drbd.d/linbit.res <<-END
		resource linbit {
			device /dev/drbd6 minor 6;
			disk $device;
			meta-disk internal;
			on $(uname -n) { address 127.0.0.1:7786; }
			on nowhere { address 127.0.0.2:7786; }
		}
	END
	printf 'global { usage-count no; }\n' >/etc/drbd.d/global_common.conf
	drbdadm create-md --force linbit </dev/null && drbdadm up linbit && drbdadm primary --force linbit
}

# drbd_remove
drbd_remove() {
	drbdadm down linbit || :
	losetup --detach "$(losetup --noheadings --output NAME --associated "$backing")"
	rm -f /etc/drbd.d/linbit.res "$backing"
}

# has_device <guest>
# The backend of one of its disks has the number of /dev/drbd6.
has_device() {
	local home device devices
	home=backend/vbd/$(xl domid "$1")
	mapfile -t devices < <(xenstore-list "$home")
	for device in "${devices[@]}"; do
		[[ $(xenstore-read "$home/$device/physical-device" 2>/dev/null) != 93:6 ]] || return 0
	done
	return 1
}

# both_ask <guest> <guest>
# LINBIT's script asks for the first, block for the second, at the same time. What xl prints goes
# to the files theirs.out and ours.out.
both_ask() {
	local theirs
	xl block-attach "$1" script=block-linbit,vdev=xvdb,access=w,target=linbit >"$E2E_WORK/theirs.out" 2>&1 &
	theirs=$!
	xl block-attach "$2" phy:/dev/drbd6,xvdb,w >"$E2E_WORK/ours.out" 2>&1 || :
	wait "$theirs" || :
}

# was_refused theirs|ours <part of the sentence>
# What xl printed for that one names the cause, as libxl quotes it.
was_refused() {
	cat "$E2E_WORK/$1.out"
	grep -F 'device_hotplug_child_death_cb: script: ' "$E2E_WORK/$1.out" | grep -qF -- "$2"
}

@test "LINBIT's block-drbd and block never give one device to two guests" {
	local round has theirs=0 ours=0
	guest web 11
	guest mail 12
	cp "$E2E_UPSTREAM/block-drbd" "$scripts/block-linbit"
	grep -q LINBIT "$scripts/block-linbit"
	for round in 1 2 3 4; do
		drbdadm primary linbit
		both_ask web mail
		has=''
		! has_device web || has+=web theirs=$((theirs + 1))
		! has_device mail || has+=mail ours=$((ours + 1))
		xl block-detach web xvdb || :
		xl block-detach mail xvdb || :
		case $has in
		web) was_refused ours "Disk '/dev/drbd6' is in use, read-write, by guest 'web'" ;;
		mail) was_refused theirs 'Device /dev/drbd6 is mounted in a guest domain' ;;
		*) false ;;
		esac
	done
	echo "LINBIT's script was first $theirs times, block $ours times." >&3
}

@test "what LINBIT's block-drbd has attached is refused to another guest" {
	guest web 11
	guest mail 12
	cp "$E2E_UPSTREAM/block-drbd" "$scripts/block-linbit"
	drbdadm primary linbit
	xl block-attach web script=block-linbit,vdev=xvdb,access=w,target=linbit
	refused "Disk '/dev/drbd6' is in use, read-write, by guest 'web'" xl block-attach mail phy:/dev/drbd6,xvdb,w
	xl block-detach mail xvdb
	xl block-detach web xvdb
}
