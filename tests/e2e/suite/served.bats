#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Images that a device model serves: it has them open, under any name.

load ../lib/xen.bash
teardown() { e2e_teardown; }
setup() {
	guest web 11
	before=$(residue)
	base=$E2E_WORK/base.img file=$E2E_WORK/served.qcow2
	truncate -s 8M "$base"
	qemu-img create -q -f qcow2 -b "$base" -F raw "$file"
	hvm_on_qcow2
}

# hvm_on_qcow2
# An HVM guest whose device model serves $file, whose base is $base.
hvm_on_qcow2() {
	printf '%s\n' "name='hvm'" "type='hvm'" 'memory=128' 'vnc=0' "disk=['$file,qcow2,xvda,w']" >"$E2E_WORK/hvm.cfg"
	xl create "$E2E_WORK/hvm.cfg"
}

# is_refused <file> <use>
# No other guest gets the file, as the HVM guest uses it so.
is_refused() {
	refused "Disk '$1' is in use, $2, by guest 'hvm'" xl block-attach web "$1,raw,xvdb,w"
	xl block-detach web xvdb
}

@test "the base of a qcow2 that a device model serves is refused to a guest that writes" {
	is_refused "$base" read-only
	is_refused "$file" read-write
	xl destroy hvm
	xl block-attach web "$base,raw,xvdb,w"
	within 30 has_sector "$base" web xvdb
	xl block-detach web xvdb
	same_residue "$before"
}

@test "images that a device model serves are refused under new names" {
	mv "$base" "$base.old"
	mv "$file" "$file.old"
	is_refused "$base.old" read-only
	is_refused "$file.old" read-write
	# A file that has the former name now is nobody's.
	truncate -s 8M "$base"
	xl block-attach web "$base,raw,xvdb,w"
	xl block-detach web xvdb
	xl destroy hvm
	rm "$base.old" "$file.old"
	same_residue "$before"
}
