# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A disk that qemu-nbd serves, and the kernel's connection to it. The server
# outlives the script. The journal has its process id and start time. If a kill came
# before that, it is the process of root's that runs qemu-nbd with our socket.

resource_find disk
# shellcheck source=nbd_client.sh
resource_find nbd_client
library lib/process

qemu_nbd_patience=4 # seconds for the server to flush its data

qemu_nbd_held=()  # files for the server, each as LOOP=PATH (xen-hotplug run --held)
qemu_nbd_files='' # set by qemu_nbd_locate: the path of its files, without their suffixes
qemu_nbd_pid=''   # set by qemu_nbd_find: the process that serves; empty if there is none

qemu_nbd_arguments='MODE FILE'

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
	qemu_nbd_note
	nbd_client_open "$qemu_nbd_files.socket" '' '' "$1"
}

# qemu_nbd_note
# Records the server, which has written its process id.
qemu_nbd_note() {
	local pid
	read -r pid 2>/dev/null <"$qemu_nbd_files.pid" || return 0
	process_look "$pid"
	[[ ! $process_start ]] || journal_remember server "$pid $process_start"
}

# qemu_nbd_release <mode> <image>
# Ends the server first, because the kernel may wait for a server that hangs. One that
# does not end may still write to its image, which no other guest gets then.
qemu_nbd_release() {
	qemu_nbd_locate
	qemu_nbd_end || { disk_keep && complain "$reason"; }
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
		run_pause 0.02 || return
		qemu_nbd_find
	done
}

# qemu_nbd_find
# Sets qemu_nbd_pid.
qemu_nbd_find() {
	local known pid start
	qemu_nbd_pid=''
	journal_recall known server
	if [[ ! $known ]]; then
		qemu_nbd_search
		return
	fi
	read -r pid start <<<"$known"
	process_look "$pid"
	[[ $process_start != "$start" ]] || qemu_nbd_pid=$pid
}

# qemu_nbd_search
# Sets qemu_nbd_pid without a record: it is in the file of the server's, or any.
qemu_nbd_search() {
	local pid process
	if read -r pid 2>/dev/null <"$qemu_nbd_files.pid"; then
		! qemu_nbd_is_ours "$pid" || qemu_nbd_pid=$pid
		return
	fi
	for process in /proc/[1-9]*; do
		pid=${process##*/}
		! process_runs "$pid" qemu-nbd || ! qemu_nbd_is_ours "$pid" || qemu_nbd_pid=$pid
	done
}

# qemu_nbd_is_ours <process id>
# Is it a process of root's with our socket? In another mount namespace the same
# path is another file.
qemu_nbd_is_ours() {
	local words=()
	process_is_root "$1" && [[ /proc/$1/ns/mnt -ef /proc/self/ns/mnt ]] || return 1
	mapfile -d '' -t words 2>/dev/null <"/proc/$1/cmdline" || return 1
	[[ " ${words[*]} " == *" --socket=$qemu_nbd_files.socket "* ]]
}
