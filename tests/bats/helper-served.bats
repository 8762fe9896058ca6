#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xen-hotplug claim: what QEMU and tapdisk serve is what they have open. Their processes are
# stand-ins, with the records that the toolstack makes of the real ones.

setup() {
	. "$BATS_TEST_DIRNAME/../lib/helper.bash"
	. "$BATS_TEST_DIRNAME/../lib/server.bash"
	. "$BATS_TEST_DIRNAME/../lib/fuse.bash"
	helper_setup
	device 3
	device 4
	image disk.img
	image other.img
}

teardown() {
	servers_stop
	fuse_stop
	helper_teardown
}

# qdisk <domid> <params> [type]
# A disk that a program serves that guest, and no process.
qdisk() {
	local backend=$home/backend/${3-qdisk}/$1/768
	device "$1"
	xenstore-rm "$home/backend/vbd/$1"
	store_set "$backend/params" "$2" "$backend/mode" w "$backend/dev" xvde
}

# device_model <domid> <mode:file>...
# The device model of that guest, with these files open.
device_model() {
	server qemu-system-i386 "${@:2}"
	store_set "/local/domain/$1/image/device-model-pid" "$server_pid" "$home/device-model/$1/state" running \
		"/local/domain/$1/name" "guest$1"
}

# refused <mode> <file> <how the other guest uses it>
# A claim for guest 3 says so.
refused() {
	claim 3 "$1" "$2"
	ended 4 "Disk '$2' is in use, $3, by guest 'guest4' (domain 4)*; detach it there first, or share it*"
}

# given <mode> <file>
# Guest 3 gets it.
given() {
	claim 3 "$1" "$2"
	done_with "device=$dev" "physical-device=$(stat -c %t:%T "$dev")" kind=file "target=$2"
	losetup -d "$dev"
}

# view
# A FUSE file system on $PWD/view, whose files are those of $PWD/real.
view() {
	mkdir real
	image real/disk.img
	fuse_mount "$PWD/real" "$PWD/view"
}

@test "a backing file that QEMU has open is in use, by a reader, at any depth" {
	local i files=()
	for i in {1..20}; do
		image "$i.img"
		files+=("r:$i.img")
	done
	qdisk 4 "qcow2:$PWD/disk.img"
	device_model 4 w:disk.img "${files[@]}"
	refused w "$PWD/1.img" read-only
	refused w "$PWD/20.img" read-only
	given r "$PWD/20.img"
	refused r "$PWD/disk.img" read-write
}

@test "an image is in use under its new name, after it was renamed under QEMU" {
	qdisk 4 "raw:$PWD/disk.img"
	device_model 4 w:disk.img
	mv disk.img renamed.img
	image disk.img
	refused w "$PWD/renamed.img" read-write
}

@test "a file that took the name of an image that QEMU has open is free" {
	qdisk 4 "raw:$PWD/disk.img"
	device_model 4 w:disk.img
	mv other.img disk.img
	given w "$PWD/disk.img"
}

@test "an image that was deleted under QEMU is in use under its other name" {
	ln disk.img hard.img
	qdisk 4 "raw:$PWD/disk.img"
	device_model 4 w:disk.img
	rm disk.img
	refused w "$PWD/hard.img" read-write
}

@test "a snapshot that QEMU writes, which no node names, is in use" {
	qdisk 4 "qcow2:$PWD/disk.img"
	device_model 4 r:disk.img w:other.img
	refused w "$PWD/other.img" read-write
	given r "$PWD/disk.img"
}

@test "a disk that a device model has open without any node is in use" {
	device_model 4 w:disk.img
	refused r "$PWD/disk.img" read-write
	given w "$PWD/other.img"
}

@test "a block device that QEMU has open is in use, also as the file below it" {
	local loop
	loop=$(losetup -f --show disk.img)
	qdisk 4 "raw:$PWD/none"
	device_model 4 "w:$loop"
	claim 3 w "$loop"
	ended 4 "Disk '$loop' is in use, read-write, by guest 'guest4' (domain 4)*"
	refused w "$PWD/disk.img" read-write
}

@test "the disk of a message is the one whose node names the file, or the guest's only one" {
	qdisk 4 "qcow2:$PWD/disk.img"
	device_model 4 "w:$PWD/disk.img" r:other.img
	claim 3 w "$PWD/other.img"
	ended 4 "*by guest 'guest4' (domain 4) as xvde; detach*"
	store_set "$home/backend/qdisk/4/832/params" raw:/none "$home/backend/qdisk/4/832/dev" xvdf
	claim 3 w "$PWD/other.img"
	ended 4 "*by guest 'guest4' (domain 4); detach*"
	claim 3 w "$PWD/disk.img"
	ended 4 "*by guest 'guest4' (domain 4) as xvde; detach*"
}

@test "tapdisk is found by the name of its socket" {
	qdisk 4 "vhd:$PWD/none" vbd3
	server tapdisk w:disk.img
	store_set "$home/backend/vbd3/4/768/physical-device-path" "/run/blktap-control/nbd$server_pid.0"
	refused w "$PWD/disk.img" read-write
}

@test "QEMU is found by the record of a driver domain" {
	qdisk 4 "raw:$PWD/none"
	server qemu-system-i386 w:disk.img
	store_set "$home/libxl/4/qdisk-backend-pid" "$server_pid"
	refused w "$PWD/disk.img" read-write
}

@test "a guest may have what its own QEMU has open, and so may its device model's domain" {
	device_model 4 w:disk.img
	store_set /local/domain/3/target 4
	given w "$PWD/disk.img"
	device_model 3 w:other.img
	given w "$PWD/other.img"
}

@test "a process with QEMU's id that is not QEMU, or not root's, does not count" {
	qdisk 4 "raw:$PWD/other.img"
	server qemu-system-i386
	store_set "/local/domain/4/image/device-model-pid" "$server_pid"
	given w "$PWD/other.img"
	server perl r:disk.img
	store_set "/local/domain/4/image/device-model-pid" "$server_pid"
	given w "$PWD/disk.img"
	refused w "$PWD/other.img" read-write
	server_of qemu-system-i386 65534 r:disk.img
	store_set "/local/domain/4/image/device-model-pid" "$server_pid"
	given w "$PWD/disk.img"
}

@test "without a record of the server, the path of the node and whoever writes the image count" {
	qdisk 4 "raw:$PWD/disk.img"
	refused w "$PWD/disk.img" read-write
	mv disk.img renamed.img
	given w "$PWD/renamed.img"
	server something r:renamed.img
	given w "$PWD/renamed.img"
	server something w:renamed.img
	refused w "$PWD/renamed.img" read-write
}

@test "without a record of the server, the backing files that headers name count" {
	qemu-img create -q -f qcow2 -b other.img -F raw middle.qcow2
	qemu-img create -q -f qcow2 -o cluster_size=2M -b "$PWD/middle.qcow2" -F qcow2 top.qcow2
	qdisk 4 "qcow2:$PWD/top.qcow2"
	refused w "$PWD/other.img" read-only
	refused w "$PWD/middle.qcow2" read-only
	given r "$PWD/other.img"
	given w "$PWD/disk.img"
	qemu-img rebase -u -F qcow2 -b top.qcow2 middle.qcow2
	given w "$PWD/other.img"
	qemu-img rebase -u -F raw -b "$PWD/none" middle.qcow2
	given w "$PWD/other.img"
}

@test "without a record of the server, the backing files of a chain of 300, and of a loop, count" {
	truncate -s 1M m000
	qemu-img create -q -u -f qcow2 -b m000 -F qcow2 m001 1M
	perl -e 'local $/; open my $from, "<", "m001"; $_ = <$from>;
		for my $i (2 .. 300) {
			my ($above, $below) = map { sprintf "m%03d", $_ } $i, $i - 1;
			(my $image = $_) =~ s/m000/$below/;
			open my $to, ">", $above; print $to $image;
		}'
	qdisk 4 "qcow2:$PWD/m300"
	refused w "$PWD/m000" read-only
	cp m300 m001
	sed -i 's/m299/m001/' m001
	refused w "$PWD/m001" read-only
	given w "$PWD/m000"
}

@test "a writer that is unknown may be the server of any guest whose server is unknown" {
	qdisk 3 "raw:$PWD/other.img"
	device 3
	server something w:disk.img
	given w "$PWD/disk.img"
	qdisk 4 "virtio:$PWD/other.img" virtio_disk
	unknown "$PWD/disk.img"
	qdisk 5 "raw:$PWD/other.img"
	unknown "$PWD/disk.img"
}

# unknown <file>
# A claim for guest 3 is refused, and no guest is named.
unknown() {
	claim 3 w "$1"
	ended 4 "Disk '$1' is in use, read-write, by a process of an unknown guest; find it ('fuser -v') and detach the disk there first, or share it *"
	[[ $error != *guest[0-9]* && $error != *domain* ]]
}

@test "a process that ends, and only has its files still open, serves nobody" {
	local pid
	qdisk 4 "raw:$PWD/none"
	# The kernel frees the memory before it closes the files.
	perl -e 'open F, "+<", "other.img" or die; my $memory = "a" x (400 << 20); open R, ">", "ready"; sleep 1000' 3>&- 9>&- &
	pid=$!
	servers+=("$pid")
	until_true test -e ready
	claim 3 w "$PWD/other.img"
	((status == 4))
	kill -KILL "$pid"
	given w "$PWD/other.img"
}

@test "a known server of one kind does not hide an unknown one of another kind" {
	qdisk 4 "raw:$PWD/none"
	device_model 4
	qdisk 4 "vhd:$PWD/disk.img" vbd3
	refused w "$PWD/disk.img" read-write
}

@test "records that are no process ids do no harm" {
	local pid
	qdisk 4 "raw:$PWD/disk.img"
	for pid in '' 0 -1 1x 99999999 2147483648 ../self "$$ "; do
		store_set -- /local/domain/4/image/device-model-pid "$pid"
		refused w "$PWD/disk.img" read-write
		given w "$PWD/other.img"
	done
	qdisk 4 "vhd:$PWD/disk.img" vbd3
	for pid in '' / /nbd /nbd.0 /nbd-1.0 /nbd99999999999.0 nbd1.0 /nbd1; do
		store_set "$home/backend/vbd3/4/768/physical-device-path" "$pid"
		refused w "$PWD/disk.img" read-write
	done
}

@test "an image on a server that does not answer keeps no other disk from being claimed" {
	view
	qdisk 4 "raw:$PWD/view/disk.img"
	device_model 4 w:view/disk.img
	kill -STOP "$fuse_pid"
	timeout --signal KILL "$generous" "$helper" claim --device "vbd/3/$devid" --mode w -- "$PWD/other.img" >out
	# Nor does a path of a guest whose server is unknown, or the one that holds the file open.
	xenstore-rm /local/domain/4/image
	losetup -d "$(loops)"
	timeout --signal KILL "$generous" "$helper" claim --device "vbd/3/$devid" --mode w -- "$PWD/other.img" >out
	fuse_stop
}

@test "an image on a file server is in use by the guest whose QEMU has it open, under its other names" {
	view
	ln -s view/disk.img link
	qdisk 4 "raw:$PWD/none"
	device_model 4 w:view/disk.img
	refused w "$PWD/view/disk.img" read-write
	claim 3 w "$PWD/link"
	ended 4 "*by guest 'guest4' (domain 4)*"
	xenstore-rm /local/domain/4/image
	kill -KILL "$server_pid"
	claim 3 w "$PWD/view/disk.img"
	((status == 0))
	losetup -d "$dev"
	qdisk 4 "raw:$PWD/link"
	refused w "$PWD/view/disk.img" read-write
}

@test "what QEMU has open keeps the same file from guests under the name that a file server shows" {
	local alike="may be the file (same name; one is on NFS, FUSE or the like) that is in use, read-write, by guest 'guest4' (domain 4)"
	view
	image real/third.img
	qdisk 4 "raw:$PWD/none"
	device_model 4 w:real/disk.img w:view/other.img
	claim 3 w "$PWD/view/disk.img"
	ended 4 "Disk '$PWD/view/disk.img' $alike*; detach it there first, or share it*"
	claim 3 r "$PWD/view/disk.img"
	ended 4 "*$alike*"
	given w "$PWD/view/third.img"
	rm real/disk.img
	truncate -s 8M real/disk.img
	given w "$PWD/view/disk.img"
	xenstore-rm /local/domain/4/image
	qdisk 4 "raw:$PWD/real/disk.img"
	claim 3 w "$PWD/view/disk.img"
	ended 4 "*$alike*"
	qdisk 4 "raw:$PWD/view/disk.img"
	claim 3 w "$PWD/real/disk.img"
	ended 4 "*$alike*"
	given w "$PWD/real/third.img"
}

@test "a wait for a lock that ends names the holder, though a process has a file of a silent server open" {
	local sleep
	sleep=$(type -P sleep)
	view
	server something r:view/disk.img
	kill -STOP "$fuse_pid"
	# The holder comes after the other process in /proc.
	bash -c 'exec 8>>lock && "$1" lock 8:name && exec sleep infinity' - "$helper" 3>&- 9>&- &
	servers+=("$!")
	until_true server_runs "$sleep" "$!"
	# shellcheck disable=SC2094 # lock is also a subcommand, not only the file
	! timeout --signal KILL "$generous" "$helper" lock --wait 0.1 9:name 9>>lock 2>err || return
	fuse_stop
	[[ $(<err) == *"has been locked by process "* ]]
}
