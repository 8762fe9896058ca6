#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A guest that goes on elsewhere: from a file, or as another domain of this host.

load ../lib/xen.bash
teardown() { e2e_teardown; }

@test "save and restore give the guest its disk and its interface again" {
	guest web 11
	local before
	before=$(residue)
	xl save web "$E2E_WORK/web.save"
	same_residue ''
	xl restore "$E2E_WORK/web.save"
	guest_answers 10.9.0.11
	is_port "vif$(xl domid web).0"
	[[ $(residue | wc -l) == "$(wc -l <<<"$before")" ]]
}

@test "a guest that migrates to its own host has its image there before it has left it here" {
	guest web 11
	local before
	before=$(xl domid web)
	xl migrate -s '' web 'xl migrate-receive'
	[[ $(xl domid web) != "$before" ]]
	guest_answers 10.9.0.11
	[[ ! $(residue "$before") ]]
	# It writes where it wrote before.
	image extra
	xl block-attach web "$image,raw,xvdb,w"
	within 30 has_sector "$image" web xvdb
	xl destroy web
	same_residue ''
}
