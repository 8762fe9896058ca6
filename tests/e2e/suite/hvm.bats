#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# HVM guests: each interface is two, of which the device model's ends in -emu.

load ../lib/xen.bash
teardown() { e2e_teardown; }
setup() { before=$(residue); }

# hvm_is_whole <interface>
hvm_is_whole() {
	is_port "$1"
	is_port "$1-emu"
	xl destroy hvm
	same_residue "$before"
	[[ ! -e /sys/class/net/$1 && ! -e /sys/class/net/$1-emu ]]
}

@test "an HVM guest has its interface and the emulated one on the bridge until it is destroyed" {
	guest_hvm hvm 'bridge=xenbr0,model=e1000'
	hvm_is_whole "vif$(xl domid hvm).0"
}

@test "with a vifname, both interfaces of an HVM guest have it" {
	guest_hvm hvm 'bridge=xenbr0,model=e1000,vifname=hvm-in'
	hvm_is_whole hvm-in
}
