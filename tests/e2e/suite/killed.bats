#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Attaches that do not end as they should.

load ../lib/xen.bash
teardown() {
	rm -f "$scripts"/hit-*
	e2e_teardown
}
setup() {
	guest web 11
	before=$(residue)
	image extra
}

# hit <script> <signal> <system call> <number>
# Makes the script hit-<script>, which does as this one, but in an attach gets
# the signal at that call, which it makes for that time: it starts a process
# (clone), or answers a request (sendto). Its pid is in the file hit-<script>.
hit() {
	rm -f "$E2E_WORK/hit-$1"
	cat >"$scripts/hit-$1" <<-END
		#!/bin/bash
		[[ \$1 == @(add|online) ]] || exec "$scripts/$1" "\$@"
		echo \$\$ >"$E2E_WORK/hit-$1"
		exec strace -D -qq -o /dev/null -e trace=$3 -e inject=$3:signal=$2:when=$4 "$scripts/$1" "\$@"
	END
	chmod +x "$scripts/hit-$1"
}

# is_stopped <script>
is_stopped() {
	local pid
	read -r pid 2>/dev/null <"$E2E_WORK/hit-$1" && grep -q '^State:[[:space:]]*[Tt]' "/proc/$pid/status"
}

@test "a disk's attach succeeds after a killed attach" {
	local at
	for at in 'clone 1' 'clone 2' 'sendto 1' 'clone 3' 'clone 4' 'sendto 4'; do
		hit block SIGKILL "${at% *}" "${at#* }"
		run ! xl block-attach web "vdev=xvdb,access=w,script=hit-block,target=$image"
		xl block-detach web xvdb
		same_residue "$before"
	done
	xl block-attach web "$image,raw,xvdb,w"
	within 30 has_sector "$image" web xvdb
	xl block-detach web xvdb
	same_residue "$before"
}

@test "an interface's attach succeeds after a killed attach" {
	local at
	for at in 'clone 1' 'clone 2' 'sendto 1' 'clone 3' 'clone 4' 'clone 5'; do
		hit vif-bridge SIGKILL "${at% *}" "${at#* }"
		run ! xl network-attach web script=hit-vif-bridge vifname=web-in
		xl network-detach web 1
		same_residue "$before"
	done
	xl network-attach web bridge=xenbr0 vifname=web-in
	guest_answers 10.9.1.11
	xl network-detach web 1
	same_residue "$before"
}

@test "an attach succeeds after libxl killed the previous script at its 40 s limit" {
	local disk network
	hit block SIGSTOP clone 3
	hit vif-bridge SIGSTOP clone 4
	xl block-attach web "vdev=xvdb,access=w,script=hit-block,target=$image" >"$E2E_WORK/block.out" 2>&1 &
	disk=$!
	xl network-attach web script=hit-vif-bridge >"$E2E_WORK/vif.out" 2>&1 &
	network=$!
	if wait "$disk" || wait "$network"; then return 1; fi
	cat "$E2E_WORK/block.out" "$E2E_WORK/vif.out"
	grep -F 'because of timeout' "$E2E_WORK/block.out"
	grep -F 'because of timeout' "$E2E_WORK/vif.out"
	xl block-detach web xvdb
	xl network-detach web 1
	same_residue "$before"
	xl block-attach web "$image,raw,xvdb,w"
	xl network-attach web bridge=xenbr0
	within 30 has_sector "$image" web xvdb
	guest_answers 10.9.1.11
	xl block-detach web xvdb
	xl network-detach web 1
	same_residue "$before"
}

@test "a guest destroyed during an attach leaves nothing" {
	local disk network destroy
	hit block SIGSTOP clone 3
	hit vif-bridge SIGSTOP clone 4
	xl block-attach web "vdev=xvdb,access=w,script=hit-block,target=$image" &
	disk=$!
	xl network-attach web script=hit-vif-bridge &
	network=$!
	within 30 is_stopped block
	within 30 is_stopped vif-bridge
	xl destroy web &
	destroy=$!
	# They go on when the guest is gone, or is about to be.
	within 5 domain_is_gone web || :
	kill -CONT "$(<"$E2E_WORK/hit-block")" "$(<"$E2E_WORK/hit-vif-bridge")"
	wait "$destroy"
	wait "$disk" || :
	wait "$network" || :
	same_residue ''
}
domain_is_gone() {
	! xl domid "$1"
}
