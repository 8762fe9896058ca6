#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Many devices at once: libxl starts their scripts side by side.

load ../lib/xen.bash
teardown() { e2e_teardown; }
setup() { guests_destroy; }

@test "twenty disks attached in parallel are all connected, and are all detached again" {
	local letter disks=()
	for letter in {a..t}; do
		image "many-$letter"
		disks+=("$image,raw,xvd$letter,w")
	done
	# Each disk's driver in the guest keeps some 4 MB.
	guest many 14 'memory=384' "disk=[$(commas "${disks[@]}")]"
	for letter in {a..t}; do
		within 60 has_sector "$E2E_WORK/many-$letter.img" many "xvd$letter"
	done
	all_in_state_4 vbd "$(xl domid many)" 20
	xl destroy many
	same_residue ''
}

@test "twenty interfaces attached in parallel are all connected, and are all detached again" {
	local i vifs=()
	for i in {1..20}; do
		vifs+=('bridge=xenbr0')
	done
	guest_in_time many 14 'memory=256' "vif=[$(commas "${vifs[@]}")]"
	guest_answers 10.9.1.14
	within 60 all_in_state_4 vif "$(xl domid many)" 20
	for i in {0..19}; do
		is_port "vif$(xl domid many).$i"
	done
	xl destroy many
	same_residue ''
}

# guest_in_time <argument of guest>...
# libxl gives the kernel 10 s to make the interfaces. Where emulated CPUs that
# others use, too, need longer, which is not the scripts' doing, it is tried again.
guest_in_time() {
	local try
	for try in 1 2 3; do
		run guest "$@"
		printf 'try %s: %s\n' "$try" "$output"
		[[ $output == *device_backend_callback* ]] || return "$status"
		guests_destroy
	done
	return 1
}
