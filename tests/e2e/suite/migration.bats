#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A guest that goes on elsewhere: from a file, or as another domain of this host.

load ../lib/xen.bash
teardown() { e2e_teardown; }

# triple_faults
# How many guests Xen has seen end so.
triple_faults() {
	xl dmesg | grep -c 'Triple fault' || :
}

# roamer_migrates
# Sets domid to the one that it leaves. QEMU, which emulates the tables of a
# guest's pages here, now and then runs a guest that migrates at an address of
# the hypervisor: then Xen ends it, and another one is tried.
roamer_migrates() {
	local faults
	for _ in 1 2 3; do
		guest roamer 16 "type='pvh'" 'memory=256' || return
		domid=$(xl domid roamer)
		faults=$(triple_faults)
		xl migrate -s '' roamer 'xl migrate-receive' && return
		(($(triple_faults) > faults)) || return
		echo 'The emulated machine lost the guest; once more.'
		xl destroy roamer || :
	done
	return 1
}

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

@test "a migration to the same host attaches the image before it detaches it" {
	# A PV guest would need shadow page tables, which are not there.
	local before domid
	before=$(residue)
	roamer_migrates
	[[ $(xl domid roamer) != "$domid" ]]
	guest_answers 10.9.0.16
	[[ ! $(residue "$domid") ]]
	# It is still the one that writes.
	guest_config mail 12 "disk=['$E2E_WORK/roamer.img,raw,xvda,w']"
	refused "is in use, read-write, by guest 'roamer'" xl create "$E2E_WORK/mail.cfg"
	xl destroy roamer
	same_residue "$before"
}
