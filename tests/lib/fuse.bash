# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A file server that can be stopped: bindfs shows a directory through FUSE. Needs
# until_true.

fuse_pids=() # of the servers

# fuse_mount <directory> <mount point> [bindfs option...]
# Shows the directory at the mount point, in the test's host if it has one, and lets the kernel
# ask for each attribute anew. Sets fuse_pid. Skips without FUSE.
fuse_mount() {
	local inside=()
	[[ ! ${host_pid-} ]] || inside=(nsenter --target "$host_pid" --mount --wd=/ --)
	[[ -c /dev/fuse ]] || skip 'this kernel has no FUSE'
	mkdir -p "$1" "$2"
	(exec "${inside[@]}" bindfs -f -o attr_timeout=0,entry_timeout=0 "${@:3}" "$1" "$2" >/dev/null 2>&1 3>&- 9>&-) &
	fuse_pid=$!
	fuse_pids+=("$fuse_pid")
	until_true "${inside[@]}" mountpoint -q "$2"
}

# fuse_answers
# All servers go on.
fuse_answers() {
	local pid
	for pid in "${fuse_pids[@]}"; do
		kill -CONT "$pid" 2>/dev/null || :
	done
}

# fuse_stop
# Ends all servers; what they served is gone then.
fuse_stop() {
	local pid
	for pid in "${fuse_pids[@]}"; do
		{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || :
	done
	fuse_pids=()
}

# fuse_host <file>
# For setup: a host with guest 1, and the file, of 1 MiB, on a server of its own: real/FILE, which is
# shown as view/FILE below the variable here. No other test may have such a file: from its host the
# mount is not seen, and only a name and a size tell files there apart.
fuse_host() {
	host_start
	domain 1
	here=$BATS_TEST_TMPDIR
	fuse_mount "$here/real" "$here/view"
	truncate -s 1M "$here/real/$1"
}

# fuse_host_stop
# For teardown.
fuse_host_stop() {
	local status=0
	fuse_answers
	host_stop || status=1
	fuse_stop
	return "$status"
}
