#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What a running guest gets and loses.

load ../lib/xen.bash
teardown() { e2e_teardown; }
setup() {
	guest web 11
	before=$(residue)
}

@test "a disk is attached and detached twenty times without residue" {
	local round lost
	for ((round = 1; round <= 20; round++)); do
		image extra
		lost=$(said web 'web lost xvdb')
		xl block-attach web "$image,raw,xvdb,w"
		within 30 has_sector "$image" web xvdb
		xl block-detach web xvdb
		within 30 said_more web 'web lost xvdb' "$lost"
		same_residue "$before"
	done
}

@test "an interface is attached and detached twenty times without residue" {
	local round
	for ((round = 1; round <= 20; round++)); do
		xl network-attach web bridge=xenbr0
		guest_answers 10.9.1.11
		xl network-detach web 1
		same_residue "$before"
	done
}

@test "an interface has its vifname until the detach" {
	xl network-attach web bridge=xenbr0 vifname=web-in mtu=1400
	is_port web-in
	[[ $(</sys/class/net/web-in/mtu) == 1400 ]]
	guest_answers 10.9.1.11
	xl network-detach web 1
	same_residue "$before"
	[[ ! -e /sys/class/net/web-in ]]
}

@test "a block device is attached without a loop device, and its detach leaves it alone" {
	image device
	device=$(losetup --find --show "$image")
	xl block-attach web "phy:$device,xvdb,w"
	within 30 has_sector "$image" web xvdb
	xl block-detach web xvdb
	losetup "$device"
	losetup -d "$device"
	same_residue "$before"
}

@test "a disk detached by force while the guest holds it can be attached again" {
	image extra
	xl block-attach web "$image,raw,xvdb,w"
	within 30 has_sector "$image" web xvdb
	xl pause web
	xl block-detach --force web xvdb
	xl unpause web
	within 30 same_residue "$before"
	xl block-attach web "$image,raw,xvdb,w"
	xl block-detach web xvdb
	same_residue "$before"
}
