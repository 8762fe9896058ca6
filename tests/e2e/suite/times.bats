#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# How long it takes here, with Xen's scripts and with ours, in one run: a table,
# no judgement. Of an emulated machine only the ratio says something.

load ../lib/xen.bash
teardown() {
	rm -f "$scripts"/timed-*
	((${#others[@]} == 0)) || xenstore-rm "${others[@]}"
	e2e_teardown
}

rounds=3       # an odd number: medians
limit=40000000 # microseconds; libxl's
times=$E2E_WORK/times
others=() # the nodes of other guests' disks

@test "the times of attaches and detaches, with Xen's scripts and with ours" {
	local round whose
	rm -rf "$times"
	mkdir "$times"
	timed block
	timed vif-bridge
	guest web 11
	before=$(residue)
	for ((round = 0; round < rounds; round++)); do
		for whose in upstream ours; do
			"scripts_$whose"
			time_hot
			time_create
		done
	done
	other_guests 200
	for whose in upstream ours ours ours; do
		"scripts_$whose"
		time_device
	done
	table | tee "$times/table" | sed 's/^/# /' >&3
	scripts_ours
	same_residue "$before"
}

# timed <script>
# Makes a script that does as this one, and notes how long it takes.
timed() {
	cat >"$scripts/timed-$1" <<-END
		#!/bin/bash
		begun=\${EPOCHREALTIME/./}
		"\${BASH_SOURCE[0]%/*}/$1" "\$@"
		status=\$?
		echo \$((\${EPOCHREALTIME/./} - begun)) >>"$times/script-\$1"
		exit \$status
	END
	chmod +x "$scripts/timed-$1"
}

# time_hot
time_hot() {
	image extra
	measure 'xl block-attach' xl block-attach web "vdev=xvdb,access=w,script=timed-block,target=$image"
	measured 'block add, an image' add
	measure 'xl block-detach' xl block-detach web xvdb
	measured 'block remove, an image' remove
	measure 'xl network-attach' xl network-attach web bridge=xenbr0 script=timed-vif-bridge
	measured 'vif-bridge online' online
	measure 'xl network-detach' xl network-detach web 1
	measured 'vif-bridge offline' offline
}

# time_create
time_create() {
	guest_config mail 12
	measure 'xl create, a disk and an interface' xl create -p "$E2E_WORK/mail.cfg"
	xl destroy mail
}

# time_device
# Xen's may take longer than libxl lets it; then it is killed, and what it had
# started lives on.
time_device() {
	local device
	image device
	device=$(losetup --find --show "$image")
	if xl block-attach web "vdev=xvdb,access=w,script=timed-block,target=$device"; then
		measured "block add, a device, 200 guests' disks" add
	else
		[[ $whose == upstream ]]
		pkill -f "^/bin/bash $scripts/block add"
		echo "$limit" >>"$times/block add, a device, 200 guests' disks.$whose"
	fi
	xl block-detach web xvdb
	losetup -d "$device"
}

# measure <what> <command>...
# Notes the command's time, in microseconds.
measure() {
	local begun=${EPOCHREALTIME/./}
	"${@:2}"
	echo $((${EPOCHREALTIME/./} - begun)) >>"$times/$1.$whose"
}

# measured <what> <verb>
# Notes the time of the script that ran with this verb.
measured() {
	cat "$times/script-$2" >>"$times/$1.$whose"
	rm "$times/script-$2"
}

# other_guests <number>
# So many guests' disks in the store, by one program, which an emulated machine
# is slow to start. A driver passes over a device that has left its first state.
other_guests() {
	local i path nodes=()
	for ((i = 2001; i <= 2000 + $1; i++)); do
		path=/local/domain/0/backend/vbd/$i
		others+=("$path")
		nodes+=("$path/51712/state" 4 "$path/51712/mode" w "$path/51712/physical-device" "fe:$i"
			"$path/51712/frontend" "/local/domain/$i/device/vbd/51712" "$path/51712/frontend-id" "$i")
	done
	xenstore-write "${nodes[@]}"
}

# median <what> <whose>
median() {
	sort -n "$times/$1.$2" | sed -n "$((($(wc -l <"$times/$1.$2") + 1) / 2))p"
}

# table
table() {
	local file what xen ours over
	printf '%-42s %9s %8s %8s\n' "ms, median of $rounds" "Xen's" ours ratio
	for file in "$times"/*.ours; do
		what=${file##*/}
		what=${what%.ours}
		xen=$(median "$what" upstream)
		ours=$(median "$what" ours)
		over=''
		((xen < limit)) || over='> '
		printf '%-42s %9s %8d %8s\n' "$what" "$over$((xen / 1000))" $((ours / 1000)) "1/$((xen / ours))"
	done
}
