#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Next to Xen's own scripts: devices that those attached.

load ../lib/xen.bash
teardown() { e2e_teardown; }
setup() {
	guest web 11
	before=$(residue)
	image extra
}

@test "our scripts detach devices that Xen's attached" {
	scripts_upstream
	xl block-attach web "$image,raw,xvdb,w"
	xl network-attach web bridge=xenbr0 vifname=web-in
	scripts_ours
	xl block-detach web xvdb
	xl network-detach web 1
	same_residue "$before"
}

@test "Xen's scripts detach devices that ours attached" {
	xl block-attach web "$image,raw,xvdb,w"
	xl network-attach web bridge=xenbr0 vifname=web-in
	scripts_upstream
	xl block-detach web xvdb
	xl network-detach web 1
	scripts_ours
	# Of our journals they know nothing; the next attach does.
	xl block-attach web "$image,raw,xvdb,w"
	xl network-attach web bridge=xenbr0 vifname=web-in
	xl block-detach web xvdb
	xl network-detach web 1
	same_residue "$before"
}

@test "a guest started under Xen's scripts is stopped and restarted under ours" {
	scripts_upstream
	guest mail 12
	scripts_ours
	xl destroy mail
	same_residue "$before"
	guest mail 12
	xl destroy mail
	same_residue "$before"
}
