# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# An NBD server in dom0, and what is left of connections: sourced by the suite,
# after xen.bash.

nbd_port=10909

# nbd_serve <export>...
# Has nbd-server serve these images, of 8 MiB: the one that runs, where it does
# so already.
nbd_serve() {
	local name config=$E2E_WORK/nbd/config
	mkdir -p "$E2E_WORK/nbd"
	printf '%s\n' '[generic]' 'listenaddr = 127.0.0.1' "port = $nbd_port" \
		"unixsock = $E2E_WORK/nbd/socket" 'duallisten = true' >"$config.new"
	for name; do
		printf '%s\n' "[$name]" "exportname = $E2E_WORK/$name.img" >>"$config.new"
	done
	! cmp -s "$config" "$config.new" || nbd_server_gone || return 0
	nbd_serve_no_more
	mv "$config.new" "$config"
	nbd-server -C "$config" -p "$E2E_WORK/nbd/pid" </dev/null >"$E2E_WORK/nbd/log" 2>&1 3>&- || return
	within 30 nbd_answers
}

# nbd_answers
# nbd-server listens, and then makes the parameters of its TLS, before it answers:
# half a minute on an emulated machine.
nbd_answers() {
	local greeting
	IFS= read -r -t 120 -N 8 greeting <"/dev/tcp/127.0.0.1/$nbd_port" && [[ $greeting == NBDMAGIC ]]
}

# nbd_serve_no_more
# With all that serves a connection.
nbd_serve_no_more() {
	pkill -KILL -x nbd-server || :
	within 30 nbd_server_gone
	rm -f "$E2E_WORK/nbd/socket" "$E2E_WORK/nbd/pid"
}

# nbd_server_gone
nbd_server_gone() {
	! pgrep -x nbd-server
}

# nbd_residue
# What a script could have left, besides what residue has.
nbd_residue() {
	local file
	residue
	for file in /sys/block/nbd*/pid; do
		[[ ! -e $file ]] || echo "connected ${file%/pid}"
	done
	processes qemu-nbd
	ls "$run_dir"
}

# same_nbd_residue <before>
same_nbd_residue() {
	within 15 is_nbd_residue "$1" || {
		printf 'before:\n%s\nnow:\n%s\n' "$1" "$(nbd_residue)"
		return 1
	}
}
is_nbd_residue() {
	[[ $(nbd_residue) == "$1" ]]
}
