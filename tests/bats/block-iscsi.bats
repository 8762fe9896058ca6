# SPDX-License-Identifier: LGPL-2.1-only
# block-iscsi, with a stand-in for open-iscsi: sessions, LUNs, who ends what.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/iscsi

setup() {
	host_start
	domain 1
	domain 2
	iscsi_start
	iscsi_target "$iqn" "$portal"
	iscsi_lun "$iqn" 1
	target=iqn=$iqn,portal=192.0.2.1
}

teardown() {
	local status=0
	host_stop || status=1
	iscsi_stop || status=1
	return "$status"
}

@test "the only LUN of a target becomes the guest's disk, and all of it goes again" {
	iscsi_vbd 1 51712 "$target"
	iscsi_add 1 51712
	iscsi_attached 1 51712 "$(iscsi_disk "$iqn" 1)"
	[[ "$(iscsi_sessions)" == "$iqn 192.0.2.1" ]]
	iscsi_remove 1 51712
	iscsi_nothing_left
}
