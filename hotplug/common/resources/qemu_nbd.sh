# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A disk that qemu-nbd serves, and the kernel's connection to it. The server
# outlives the script. It is identified by its socket, which is on its command line
# from the start.

# shellcheck source=nbd_client.sh
resource_find nbd_client

qemu_nbd_patience=4 # seconds for the server to flush its data

qemu_nbd_held=()  # files for the server, each as LOOP=PATH (xen-hotplug run --held)
qemu_nbd_files='' # set by qemu_nbd_locate: the path of its files, without their suffixes
qemu_nbd_pid=''   # set by qemu_nbd_find: the process that serves; empty if there is none

# qemu_nbd_acquire <mode> <image>
# Reads image_source and image_held; sets dev and physical_device.
qemu_nbd_acquire() {
	local what
	quote what "$2"
	qemu_nbd_held=("${image_held[@]}")
	qemu_nbd_open "$1" "$image_source" || fail "The disk $what cannot be served: ${reason##*\' failed: }"
	nbd_client_judge "The disk $what" "$1"
}

# qemu_nbd_open <mode> <argument of qemu-nbd>...
# Starts the server, with the files of qemu_nbd_held, and connects to it. On failure
# run's status, with reason set.
qemu_nbd_open() {
	local options=()
	qemu_nbd_locate
	[[ $1 != r ]] || options+=(--read-only)
	helper run "${qemu_nbd_held[@]/#/--held=}" -- qemu-nbd --fork --persistent --socket="$qemu_nbd_files.socket" \
		--pid-file="$qemu_nbd_files.pid" --discard=unmap "${options[@]}" "${@:2}" || return
	nbd_client_open "$qemu_nbd_files.socket" '' '' "$1"
}

# qemu_nbd_release <mode> <image>
# Ends the server first, because the kernel may wait for a server that hangs.
qemu_nbd_release() {
	qemu_nbd_locate
	qemu_nbd_end || complain "$reason"
	nbd_client_release && helper forget "$qemu_nbd_files.socket" && helper forget "$qemu_nbd_files.pid"
}

# qemu_nbd_sweep <mode> <image>
qemu_nbd_sweep() {
	qemu_nbd_locate
	nbd_client_sweep && helper forget "$qemu_nbd_files.socket" && helper forget "$qemu_nbd_files.pid"
}

# qemu_nbd_check <mode> <image>
qemu_nbd_check() {
	qemu_nbd_locate
	qemu_nbd_find
	[[ $qemu_nbd_pid ]] || reason='The process qemu-nbd that served the disk is gone.'
	[[ ! $reason ]] && nbd_client_check
}

# qemu_nbd_locate
# Sets qemu_nbd_files.
qemu_nbd_locate() {
	qemu_nbd_files=$journal_directory/qemu-nbd-$domid-$devid
}

# qemu_nbd_end
# Ends the server and waits for that: first by SIGTERM, then by SIGKILL.
qemu_nbd_end() {
	local signal=TERM since=$SECONDS
	qemu_nbd_find
	while [[ $qemu_nbd_pid ]]; do
		((SECONDS - since < qemu_nbd_patience)) || signal=KILL
		reason="The process $qemu_nbd_pid (qemu-nbd) does not end; see what it waits for (/proc/$qemu_nbd_pid/stack), then detach the disk again."
		((SECONDS - since < 2 * qemu_nbd_patience)) || return
		kill -s "$signal" "$qemu_nbd_pid" 2>/dev/null || :
		run sleep 0.02 || return
		qemu_nbd_find
	done
}

# qemu_nbd_find
# Sets qemu_nbd_pid. The server writes its id when it is ready; until then, all
# processes are searched. In another mount namespace the same path is another file.
qemu_nbd_find() {
	local file number words=() processes=(/proc/*)
	qemu_nbd_pid=''
	! read -r number 2>/dev/null <"$qemu_nbd_files.pid" || processes=("/proc/$number")
	for file in "${processes[@]}"; do
		mapfile -d '' -t words 2>/dev/null <"$file/cmdline" || continue
		[[ " ${words[*]} " == *" --socket=$qemu_nbd_files.socket "* && $file/ns/mnt -ef /proc/self/ns/mnt ]] || continue
		qemu_nbd_pid=${file##*/}
	done
}
