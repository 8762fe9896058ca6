# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A disk that qemu-nbd serves, and the kernel's connection to it. The server
# outlives the script. It is identified by its socket, which is on its command line
# from the start.

# shellcheck source=nbd_client.sh
resource_find nbd_client

qemu_nbd_patience=4 # seconds for the server to flush its data

# qemu_nbd_acquire <mode> <argument of qemu-nbd>...
# Sets dev and physical_device.
qemu_nbd_acquire() {
	local what
	quote what "${!#}"
	qemu_nbd_open "$@" || fail "The disk $what cannot be served: $reason"
	nbd_client_judge "The disk $what" "$1"
}

# qemu_nbd_open <mode> <argument of qemu-nbd>...
# Starts the server and connects to it. On failure run's status, with reason set.
qemu_nbd_open() {
	local files options=()
	qemu_nbd_files files
	[[ $1 != r ]] || options+=(--read-only)
	run qemu-nbd --fork --persistent --socket="$files.socket" --pid-file="$files.pid" --discard=unmap \
		"${options[@]}" "${@:2}" || return
	nbd_client_open "$files.socket" '' '' "$1"
}

# qemu_nbd_release <mode> <argument of qemu-nbd>...
# Ends the server first, because the kernel may wait for a server that hangs.
qemu_nbd_release() {
	local files
	qemu_nbd_files files
	qemu_nbd_end "$files" || complain "$reason"
	nbd_client_release && helper forget "$files.socket" && helper forget "$files.pid"
}

# qemu_nbd_check <mode> <argument of qemu-nbd>...
qemu_nbd_check() {
	local files pid
	qemu_nbd_files files
	qemu_nbd_find pid "$files"
	[[ $pid ]] || reason='The process qemu-nbd that served the disk is gone.'
	[[ ! $reason ]] && nbd_client_check
}

# qemu_nbd_files <out-var>
# The path of its files, without their suffixes.
qemu_nbd_files() {
	printf -v "$1" '%s/qemu-nbd-%s-%s' "${journal_file%/*}" "$domid" "$devid"
}

# qemu_nbd_end <path of its files>
# Ends the server and waits for that: first by SIGTERM, then by SIGKILL.
qemu_nbd_end() {
	local pid signal=TERM since=$SECONDS
	qemu_nbd_find pid "$1"
	while [[ $pid ]]; do
		((SECONDS - since < qemu_nbd_patience)) || signal=KILL
		reason="The process $pid (qemu-nbd) does not end; see what it waits for (/proc/$pid/stack), then detach the disk again."
		((SECONDS - since < 2 * qemu_nbd_patience)) || return
		kill -s "$signal" "$pid" 2>/dev/null || :
		run sleep 0.02 || return
		qemu_nbd_find pid "$1"
	done
}

# qemu_nbd_find <out-var> <path of its files>
# The process that serves; empty if there is none. It writes its id when it is
# ready; until then, all processes are searched. In another mount namespace the same
# path is another file.
qemu_nbd_find() {
	local file number words=() processes=(/proc/*)
	printf -v "$1" ''
	! read -r number 2>/dev/null <"$2.pid" || processes=("/proc/$number")
	for file in "${processes[@]}"; do
		mapfile -d '' -t words 2>/dev/null <"$file/cmdline" || continue
		[[ " ${words[*]} " == *" --socket=$2.socket "* && $file/ns/mnt -ef /proc/self/ns/mnt ]] || continue
		printf -v "$1" '%s' "${file##*/}"
	done
}
