#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Devices whose nodes are gone, while libxl never called a script to detach them.

load ../lib/xen.bash
load ../lib/network.bash
teardown() {
	rm -f "$scripts/deaf"
	e2e_teardown
}
setup() {
	guest web 11
	before=$(residue)
}

# destroy_deaf <guest>
# Destroys the guest while no script hears of it.
destroy_deaf() {
	printf '#!/bin/sh\n' >"$scripts/block"
	printf '#!/bin/sh\n' >"$scripts/vif-bridge"
	xl destroy "$1"
	scripts_ours
}

@test "a guest whose detach never happened is started again at once, with its image" {
	guest mail 12
	destroy_deaf mail
	run ! is_residue "$before"
	xl create "$E2E_WORK/mail.cfg"
	guest_answers 10.9.0.12
	[[ $(loops | grep -c /mail.img) == 1 ]]
	xl destroy mail
	# Nobody asked for what its first interface had.
	/usr/lib/xen-hotplug/xen-hotplug gc
	same_residue "$before"
}

@test "gc removes what guests left whose detach never happened" {
	local domid
	guest_paused one 'vif=["bridge=xenbr0,ip=10.9.1.14"]'
	domid=$(xl domid one)
	nft list chain netdev xen_hotplug "vif$domid.0"
	destroy_deaf one
	loops | grep -F /one.img
	/usr/lib/xen-hotplug/xen-hotplug gc
	same_residue "$before"
	run ! nft list chain netdev xen_hotplug "vif$domid.0"
}
