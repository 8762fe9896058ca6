# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# NBD for one test: real servers, the real qemu-nbd, and the real nbd-client up
# to the moment when it hands the connection to the kernel. That is a stand-in,
# as not every kernel has NBD: entries in a /sys/block of the test's own.
# Sourced by bats files, after host.bash and enumerate.bash.

# nbd_start
# In the test's host. The device that a stand-in connects has as many sectors
# as the file size says, where there is one, and is read-only where ro is there.
# When nbd-client's work is done, it does what the file after says.
nbd_start() {
	nbd=$BATS_TEST_TMPDIR/nbd
	mkdir -p "$nbd" "$BATS_TEST_TMPDIR/bin"
	# shellcheck disable=SC2016 # the inner shell expands
	host bash -c '
		mkdir "$1/block" && mount -t tmpfs tmpfs "$1/block" && cp -a /sys/block/. "$1/block" &&
			mount --move "$1/block" /sys/block' - "$nbd"
	program "$BATS_TEST_TMPDIR/bin/modprobe" <<<$'#!/bin/sh\n[ "$*" = nbd ]'
	nbd_client_stand_in "$(type -P nbd-client)"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# nbd_client_stand_in <nbd-client>
# The real one, in a network namespace that has no NBD family, gets as far as
# that; what it says before is of the server. A kill finds all of a device or nothing.
# Where the bench's recorder has started it, that is the process.
nbd_client_stand_in() {
	program "$BATS_TEST_TMPDIR/bin/nbd-client" <<-END
		#!/bin/bash
		if [[ \$1 == -disconnect && \$2 =~ ^/dev/(nbd[0-9]+)$ && \$# == 2 ]]; then
			rm -rf "/sys/block/\${BASH_REMATCH[1]}"
			[[ ! -e $nbd/after ]] || . $nbd/after
			exit
		fi
		said=\$(timeout $generous $1 "\$@" 2>&1 >$nbd/said.\$\$) && exit 9
		[[ \$said == *'resolve the nbd netlink family'* ]] || { echo "\$said" >&2; exit 1; }
		new=/sys/block/.new.\$\$ number=0 size=0
		[[ ! \$(<$nbd/said.\$\$) =~ 'size = '([0-9]+)MB ]] || size=\$((BASH_REMATCH[1] * 2048))
		mkdir "\$new"
		echo "\${BENCH_WITHIN-\$\$}" >"\$new/pid"
		[[ ! -e $nbd/size ]] || size=\$(<$nbd/size)
		echo \$size >"\$new/size"
		[[ -e $nbd/ro || " \$* " == *' -readonly '* ]]
		echo \$((\$? == 0)) >"\$new/ro"
		exec 9>$nbd/lock
		flock 9
		while [[ -e /sys/block/nbd\$number ]]; do number=\$((number + 1)); done
		echo 43:\$((number * 32)) >"\$new/dev"
		printf '%s ' "\$@" >$nbd/arguments
		mv -T "\$new" /sys/block/nbd\$number
		[[ ! -e $nbd/after ]] || . $nbd/after
	END
}

# nbd_devices
# The names of those that are connected, each in a line.
nbd_devices() {
	host find /sys/block -maxdepth 1 -name 'nbd*' -printf '%f\n' | sort
}

# nbd_serve <export>...
# Starts an nbd-server for these, on port 10809 and on the socket $nbd/socket.
# Sets nbd_server_pid.
nbd_serve() {
	local name
	printf '%s\n' '[generic]' 'listenaddr = 127.0.0.1' "unixsock = $nbd/socket" 'duallisten = true' 'allowlist = true' >"$nbd/config"
	for name; do
		truncate -s 4M "$nbd/$name.disk"
		printf '%s\n' "[$name]" "exportname = $nbd/$name.disk" >>"$nbd/config"
	done
	host env LD_PRELOAD="$root/build/unit/no-dh.so" nbd-server -C "$nbd/config" -p "$nbd/server.pid" </dev/null >"$nbd/server.log" 2>&1 3>&-
	until_true test -s "$nbd/server.pid"
	nbd_server_pid=$(<"$nbd/server.pid")
	until_true nbd_answers
}

# nbd_answers
# nbd-server listens before it is ready to answer.
nbd_answers() {
	# shellcheck disable=SC2016 # for that shell
	[[ $(host bash -c 'IFS= read -r -t "$0" -N 8 line </dev/tcp/127.0.0.1/10809; printf %s "$line"' "$generous" 2>/dev/null) == NBDMAGIC ]]
}

# nbd_serve_no_more
nbd_serve_no_more() {
	local pid children
	mapfile -t children < <(pgrep -P "$nbd_server_pid")
	for pid in "$nbd_server_pid" "${children[@]}"; do
		kill -KILL "$pid"
	done
	store_gone "$nbd_server_pid"
	rm -f "$nbd/server.pid" "$nbd/socket"
	nbd_server_pid=''
}

# nbd_certificates <name>
# Makes $nbd/NAME, with a certificate authority, and a server's certificate for 127.0.0.1.
nbd_certificates() {
	mkdir "$nbd/$1"
	(
		cd "$nbd/$1" || exit
		openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout ca-key.pem -out ca-cert.pem \
			-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
		openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server-key.pem -out request
		printf 'subjectAltName=IP:127.0.0.1\n' >extensions
		openssl x509 -req -in request -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -extfile extensions -out server-cert.pem
	) >"$nbd/openssl.log" 2>&1
}

# nbd_serve_tls <name of the certificates> <image>
# A server of the image on port 10810, for who speaks TLS alone. Sets nbd_other.
nbd_serve_tls() {
	setpriv --pdeathsig KILL nsenter --target "$host_pid" --net -- qemu-nbd --persistent --pid-file="$nbd/other.pid" \
		--object "tls-creds-x509,id=tls,endpoint=server,dir=$nbd/$1,verify-peer=off" --tls-creds tls \
		--bind 127.0.0.1 --port 10810 --export-name disk --format raw "$2" 3>&- &
	nbd_other=$!
	until_true test -s "$nbd/other.pid"
}

# nbd_other_qemu <image>
# Another QEMU, which no script of ours has started, has the image open to
# write. Sets nbd_other, its process id.
nbd_other_qemu() {
	setpriv --pdeathsig KILL qemu-nbd --persistent --socket="$nbd/other" --pid-file="$nbd/other.pid" "$1" 3>&- &
	nbd_other=$!
	until_true test -s "$nbd/other.pid"
}

# nbd_servers
# The process ids of qemu-nbd in the test's host. pgrep takes four times as long as grep.
nbd_servers() {
	local pid
	grep -lsx qemu-nbd /proc/[0-9]*/comm | while IFS=/ read -r _ _ pid _; do
		[[ ! /proc/$pid/ns/mnt -ef /proc/$host_pid/ns/mnt ]] || echo "$pid"
	done
}

# nbd_servers_gone
nbd_servers_gone() {
	[[ ! $(nbd_servers) ]]
}

# nbd_residue
# What a script could have left; empty otherwise.
nbd_residue() {
	nbd_devices
	nbd_servers | sed 's/^/qemu-nbd /'
	host_residue
}

# nbd_stop
# For teardown: detaches, and fails where something is left.
nbd_stop() {
	local status=0 left='' pid
	[[ ! ${host_pid-} ]] || left=$(host_destroy_guests && nbd_residue)
	[[ ! $left ]] || {
		printf 'left behind:\n%s\n' "$left"
		status=1
	}
	[[ ! ${nbd_server_pid-} ]] || nbd_serve_no_more
	[[ ! ${host_pid-} ]] || nbd_servers | while read -r pid; do kill -KILL "$pid"; done
	host_stop || status=1
	return "$status"
}
