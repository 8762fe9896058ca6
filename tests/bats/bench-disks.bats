# SPDX-License-Identifier: LGPL-2.1-only
# No script for a disk starts more than twice the programs of the floor, and one
# for each further tool, whatever that tool starts. `make bench` measures time as well.

load ../lib/host
load ../lib/enumerate
load ../lib/iscsi
load ../lib/drbd
load ../lib/nbd
load ../lib/dmsetup
load ../lib/tap
load ../bench/measure
load ../bench/tools

setup() {
	host_start
	domain 1
	tools_stand_in
	image disk.img
}

teardown() {
	local status=0
	if [[ ${nbd-} ]]; then nbd_stop; else host_stop; fi || status=1
	[[ ! ${DRBD_STATE-} ]] || drbd_stop
	[[ ! ${ISCSI-} ]] || iscsi_stop || status=1
	[[ ! ${tap_control-} ]] || tap_stop
	[[ ! ${DMSETUP_LOG-} ]] || dmsetup_stop
	return "$status"
}

# programs_of <program> <verb> [type]
# How many programs that call for guest 1 starts, a tool as one.
programs_of() {
	local environment
	libxl_environment "${3-vbd}" 1 51712
	environment+=("PATH=$tools_bin:$PATH")
	programs "$1" "$2"
}

# within_floor <script> <further tools to attach> <further tools to detach, or -> [type]
# A detach that waits for the end of a server looks for it as often as that takes: -.
within_floor() {
	local -A further=([add]=$2 [remove]=$3)
	local verb number floor
	for verb in add remove; do
		[[ ${further[$verb]} != - ]] || continue
		number=$(programs_of "$scripts/$1" "$verb" "${4-vbd}") || return
		floor=$(programs_of "$root/tests/bench/floor" "$verb" "${4-vbd}") || return
		echo "$1 $verb: $number programs, the floor: $floor, further tools: ${further[$verb]}"
		((number > 1 && number <= 2 * floor + further[$verb])) || return
	done
}

@test "block-dummy starts at most twice the programs of the floor" {
	vbd 1 51712 "$image"
	within_floor block-dummy 0 0
}

@test "block-shared starts at most twice the programs of the floor" {
	vbd 1 51712 "$image"
	within_floor block-shared 0 0
}

@test "block-iscsi starts at most twice the programs of the floor, and iscsiadm and truncate" {
	iscsi_start
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	vbd 1 51712 "iqn=$iqn,portal=192.0.2.1"
	within_floor block-iscsi 2 1
}

@test "block-drbd starts at most twice the programs of the floor, and drbdadm and drbdsetup" {
	drbd_start
	drbd_resource r0
	vbd 1 51712 r0
	within_floor block-drbd 2 2
}

@test "block-nbd starts at most twice the programs of the floor, and nbd-client" {
	nbd_start
	nbd_serve disk
	vbd 1 51712 host=127.0.0.1,export=disk
	within_floor block-nbd 1 -
}

@test "block-qcow2 starts at most twice the programs of the floor, and qemu-nbd and nbd-client" {
	nbd_start
	qemu-img create -q -f qcow2 "$image" 4M
	vbd 1 51712 "file=$image"
	within_floor block-qcow2 2 -
}

@test "block-overlay starts at most twice the programs of the floor, and dmsetup and truncate, or rm" {
	dmsetup_start
	vbd 1 51712 "base=$image,persist=n"
	within_floor block-overlay 2 2
}

@test "block-tap starts at most twice the programs of the floor, and tap-ctl" {
	tap_start
	vhd_image disk.vhd
	vbd3 1 51712 "vhd:$image"
	within_floor block-tap 1 1 vbd3
}
