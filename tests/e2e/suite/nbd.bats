#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Disks that an NBD server in dom0 exports.

load ../lib/xen.bash
load ../lib/nbd.bash
teardown() { e2e_teardown; }
setup() {
	guest web 11
	image export
	nbd_serve export
	before=$(nbd_residue)
}

# attach <guest> <disk> <target> [access]
attach() {
	xl block-attach "$1" "script=block-nbd,vdev=$2,access=${4-w},target=$3"
}

@test "an NBD export is attached and detached three times without residue" {
	local round
	for round in 1 2 3; do
		image export
		nbd_serve export
		attach web xvdb "host=127.0.0.1,port=$nbd_port,export=export"
		within 30 has_sector "$image" web xvdb
		xl block-detach web xvdb
		same_nbd_residue "$before"
	done
}

@test "an NBD export is attached through the server's Unix socket" {
	attach web xvdb "socket=$E2E_WORK/nbd/socket,export=export"
	within 30 has_sector "$image" web xvdb
	xl block-detach web xvdb
	same_nbd_residue "$before"
}

@test "with reconnect, a guest's disk survives a restart of the NBD server" {
	local taken
	taken=$(said web 'web has xvdb')
	xl pause web
	attach web xvdb "host=127.0.0.1,port=$nbd_port,export=export,reconnect=120"
	nbd_serve_no_more
	xl unpause web
	run ! within 5 said_more web 'web has xvdb' "$taken"
	nbd_serve export
	within 60 has_sector "$image" web xvdb
	xl block-detach web xvdb
	same_nbd_residue "$before"
}

@test "a guest whose NBD server is gone is destroyed without residue" {
	local way
	for way in '' ,reconnect=600; do
		guest_paused one "disk=['script=block-nbd,vdev=xvda,access=w,target=host=127.0.0.1,port=$nbd_port,export=export$way']"
		nbd_serve_no_more
		xl destroy one
		same_nbd_residue "$before"
		nbd_serve export
	done
}

@test "a guest that runs on an NBD export is destroyed without residue" {
	guest_config mail 12 "disk=['script=block-nbd,vdev=xvda,access=w,target=host=127.0.0.1,port=$nbd_port,export=export,reconnect=60']"
	xl create "$E2E_WORK/mail.cfg"
	within 90 has_sector "$E2E_WORK/export.img" mail xvda
	xl destroy mail
	same_nbd_residue "$before"
}

@test "two guests may read one NBD export, but not write it" {
	attach web xvdb "host=127.0.0.1,port=$nbd_port,export=export"
	within 30 has_sector "$image" web xvdb
	guest_config mail 12 "disk=['script=block-nbd,vdev=xvda,access=w,target=host=127.0.0.1,port=$nbd_port,export=export']"
	refused "The NBD export 'export' of 127.0.0.1:$nbd_port is in use, read-write, by guest 'web' (domain $(xl domid web)); detach it there first, or share it deliberately with shared=y." \
		xl create "$E2E_WORK/mail.cfg"
	xl block-detach web xvdb
	guest_paused one "disk=['script=block-nbd,vdev=xvda,access=r,target=host=127.0.0.1,port=$nbd_port,export=export']"
	attach web xvdb "host=127.0.0.1,port=$nbd_port,export=export" r
	[[ $(cat /sys/block/nbd*/ro | sort -u) == *1* ]]
	xl block-detach web xvdb
	xl destroy one
	same_nbd_residue "$before"
}

@test "a missing NBD server or export is reported, and nothing is left" {
	not_attached 'Connection refused; see whether it runs, and what it exports.' host=127.0.0.1,port=9
	not_attached 'Server said: Export unknown' "host=127.0.0.1,port=$nbd_port,export=nothing"
	not_attached 'Requested export not available' "host=127.0.0.1,port=$nbd_port,export=nothing,reconnect=5"
}

# not_attached <part of the sentence> <target>
not_attached() {
	refused "$1" attach web xvdb "$2"
	xl block-detach web xvdb
	same_nbd_residue "$before"
}

@test "an NBD device that another program connected stays, even if it was ours before" {
	nbd-client 127.0.0.1 "$nbd_port" -name export -readonly
	others=$(nbd_residue)
	attach web xvdb "host=127.0.0.1,port=$nbd_port,export=export"
	within 30 has_sector "$image" web xvdb
	xl block-detach web xvdb
	same_nbd_residue "$others"
	nbd-client -disconnect /dev/nbd0
	same_nbd_residue "$before"
}

@test "a detach releases everything after a killed attach of an NBD export" {
	local after
	for after in 0.3 0.7 1.1; do
		killed_attach "$after" "host=127.0.0.1,port=$nbd_port,export=export"
		killed_attach "$after" "host=127.0.0.1,port=$nbd_port,export=export,reconnect=20"
	done
}

# killed_attach <seconds> <target>
# The script, called as libxl does, is killed after that time.
killed_attach() {
	local path=backend/vbd/77/51712
	xenstore-write "$path/params" "$2" "$path/mode" w "$path/state" 2 "$path/frontend-id" 77
	XENBUS_PATH=$path XENBUS_TYPE=vbd timeout --signal KILL "$1" "$scripts/block-nbd" add || :
	xenstore-write "$path/state" 5
	XENBUS_PATH=$path XENBUS_TYPE=vbd "$scripts/block-nbd" remove
	xenstore-rm "$path"
	same_nbd_residue "$before"
}

@test "more disks than the kernel's initial NBD devices are attached" {
	local number
	within 15 modprobe -r nbd
	modprobe nbd nbds_max=2
	for number in {1..3}; do
		truncate -s 1M "$E2E_WORK/many$number.img"
	done
	nbd_serve many{1..3}
	for number in {1..3}; do
		xenstore-write "backend/vbd/77/$number/params" "host=127.0.0.1,port=$nbd_port,export=many$number" \
			"backend/vbd/77/$number/mode" w "backend/vbd/77/$number/state" 2 "backend/vbd/77/$number/frontend-id" 77
		XENBUS_PATH=backend/vbd/77/$number XENBUS_TYPE=vbd "$scripts/block-nbd" add
	done
	[[ $(for number in {1..3}; do xenstore-read "backend/vbd/77/$number/physical-device"; done | sort -u | wc -l) == 3 ]]
	for number in {1..3}; do
		[[ -b $(xenstore-read "backend/vbd/77/$number/node") ]]
		XENBUS_PATH=backend/vbd/77/$number XENBUS_TYPE=vbd "$scripts/block-nbd" remove
	done
	xenstore-rm backend/vbd/77
	rm "$E2E_WORK"/many*.img
	same_nbd_residue "$before"
	within 15 modprobe -r nbd
	modprobe nbd
}
