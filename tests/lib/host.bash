# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A host for one test: a network namespace, with /run, /var/log and /sys of its
# own, a store, and the calls that libxl makes. Loop devices are the machine's:
# a test judges only those of its own images.
#
# HOTPLUG_SCRIPTS  the scripts under test; another directory's can be tried

bats_require_minimum_version 1.5.0 2>/dev/null || : # the demo has no bats
root=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
scripts=${HOTPLUG_SCRIPTS:-$root/hotplug/Linux}
# shellcheck source=store.bash
. "$root/tests/lib/store.bash"
# shellcheck source=untraced.bash
. "$root/tests/lib/untraced.bash"
# shellcheck source=sample.bash
. "$root/tests/lib/sample.bash"
# shellcheck source=loops.bash
. "$root/tests/lib/loops.bash"

phys=() # block devices that phy_device made

# host_start [mock option...]
# A host whose firewall sees no bridged packets, as where br_netfilter is not loaded.
# Sets host_pid; host_root, where its files are seen from outside; and log, the
# file that our scripts' system log goes to.
host_start() {
	local ready
	untraced
	mkdir -p "$BATS_TEST_TMPDIR"/{run,varlog/xen,store}
	store_start "$@"
	log=$BATS_TEST_TMPDIR/log
	export XEN_HOTPLUG_LOG=$log
	exec {ready}< <(host_namespaces)
	host_pid=$! host_root=/proc/$!/root
	read -r -t "$generous" -u "$ready" _ || {
		echo 'cannot make a network and a mount namespace here' >&2
		return 1
	}
	exec {ready}<&-
}

# host_namespaces
# Becomes their first process, and prints a line when they are complete. They do
# not keep what other tests have mounted, nor the loop devices below that.
host_namespaces() {
	# shellcheck disable=SC2016 # the inner shell expands
	exec setpriv --pdeathsig KILL unshare --mount --net bash -e -c '
		while read -r _ _ _ _ where _; do
			[[ $where != */bats-run-* ]] || umount --lazy "$(printf %b "$where")" 2>/dev/null || :
		done </proc/self/mountinfo
		mount --bind "$1/run" /run
		mount --bind "$1/varlog" /var/log
		mount -t sysfs sysfs /sys
		ip link set lo up
		for file in /proc/sys/net/bridge/bridge-nf-call-*; do [[ ! -e $file ]] || echo 0 >"$file"; done
		echo ready
		exec sleep infinity >/dev/null' - "$BATS_TEST_TMPDIR" 3>&-
}

# host_stop
# To be called from teardown; tolerates half a set-up. Detaches what is still
# attached, as libxl does when it destroys a guest, and fails where anything
# of our scripts is left after that. Of other scripts it clears away what is left.
host_stop() {
	local status=0 left='' phy
	[[ ! ${host_pid-} ]] || left=$(host_destroy_guests && host_residue)
	for phy in "${phys[@]}"; do
		loop_detach "$phy" "${BATS_RUN_TMPDIR:-$BATS_TEST_TMPDIR}"
	done
	[[ ! ${host_pid-} ]] || { kill "$host_pid" && wait "$host_pid"; } 2>/dev/null || :
	store_stop || status=1
	host_loops | while read -r phy _; do loop_detach "$phy" "$BATS_TEST_TMPDIR"; done
	[[ ! $left || ${HOTPLUG_SCRIPTS-} ]] || {
		printf 'left behind, after all was detached:\n%s\n' "$left"
		status=1
	}
	return "$status"
}

# host_destroy_guests
# Detaches every device that has a journal; other scripts have none.
host_destroy_guests() {
	local journal type domid devid
	[[ ! ${HOTPLUG_SCRIPTS-} ]] || return 0
	store_fault_none
	for journal in "$BATS_TEST_TMPDIR"/run/xen-hotplug/v*-*; do
		IFS=- read -r type domid devid <<<"${journal##*/}"
		case $type:$devid in
		vbd:*) block_remove "$domid" "$devid" ;;
		vif:*-emu) tap_remove "$domid" "${devid%-emu}" ;;
		vif:?*) offline "$domid" "$devid" ;;
		esac
	done
}

# host <command>...
# Runs a command in the test's host.
host() {
	nsenter --target "$host_pid" --mount --net --wd=/ -- "$@"
}

# without <command>...
# From now on, no path of this host has them. They are in one directory.
without() {
	local kept=$BATS_TEST_TMPDIR/kept all=$BATS_TEST_TMPDIR/all directory
	directory=$(dirname "$(type -P "$1")")
	mkdir "$kept" "$all"
	host mount --bind "$directory" "$all"
	host find "$all" -mindepth 1 -maxdepth 1 -exec ln -s -t "$kept" {} +
	rm "${@/#/$kept/}"
	host mount --bind "$kept" "$directory"
}

# stand_in <command>
# From now on the command is the program on standard input, also for Xen's
# scripts, which look into the system's directories first.
stand_in() {
	local file=$BATS_TEST_TMPDIR/stand-in/$1 real
	real=$(type -P "$1") || :
	mkdir -p "${file%/*}"
	cat >"$file"
	chmod +x "$file"
	PATH+=:${file%/*}
	[[ ! $real ]] || host mount --bind "$file" "$real"
}

# program <file>
# Makes an executable of standard input.
program() {
	install -m 0755 /dev/stdin "$1.new"
	mv "$1.new" "$1"
}

# with_settings <NAME>...
# Copies a program from standard input to standard output, with the values that
# these variables have now: a script hands down no variable of the test's.
with_settings() {
	local name
	IFS= read -r name && printf '%s\n' "$name" # its first line
	for name; do
		[[ ! -v $name ]] || printf 'export %s=%q\n' "$name" "${!name}"
	done
	cat
}

# host_loops
# The loop devices over files below the test's directory, with the files. It
# starts no program, as it is asked hundreds of times.
host_loops() {
	local loop file
	for loop in /sys/block/loop*/loop; do
		{ read -r file <"$loop/backing_file"; } 2>/dev/null || continue
		loop=${loop%/loop}
		[[ $file != "$BATS_TEST_TMPDIR"/* ]] || printf '/dev/%s %s\n' "${loop##*/}" "$file"
	done
}

# no_loops
# There is none of these.
no_loops() {
	[[ ! $(host_loops) ]]
}

# host_residue
# All that a script could have left: loop devices of our images, ports, and
# the journals of our scripts. Empty on a clean host but for vifs and bridges.
# A loop device that is detached goes when the last one who looks at it has
# closed it: that is awaited.
host_residue() {
	local file
	until_true host_settled || :
	[[ ${HOTPLUG_SCRIPTS-} ]] || host_journals
	host_loops
	for file in "$host_root"/sys/class/net/*/master; do
		[[ ! -e $file ]] || host_port "${file%/master}"
	done
}

# host_port <directory of an interface in sysfs>
host_port() {
	local master
	master=$(realpath "$1/master")
	printf 'port %s of %s\n' "${1##*/}" "${master##*/}"
}

# host_settled
# No loop device of our images is about to go.
host_settled() {
	local loop autoclear
	while read -r loop _; do
		{ read -r autoclear <"/sys/block/${loop#/dev/}/loop/autoclear"; } 2>/dev/null || continue
		((!autoclear)) || return
	done < <(host_loops)
}

# host_journals
host_journals() {
	local file
	for file in "$BATS_TEST_TMPDIR"/run/xen-hotplug/*; do
		[[ ! -e $file || $file == */@(lock|block) ]] || printf 'journal %s\n' "${file##*/}"
	done
}

# waits_for_lock
# Does a script wait for a lock?
waits_for_lock() {
	local inode
	inode=$(stat -c %i "$BATS_TEST_TMPDIR/run/xen-hotplug/lock")
	grep -q -e "-> .*:$inode " /proc/locks
}

# waits_or_ended <process id>
# Does a script wait for a lock, or has this process ended?
waits_or_ended() {
	waits_for_lock || ! kill -0 "$1" 2>/dev/null
}

# bridge <name>...
bridge() {
	local name
	for name; do
		host ip link add "$name" type bridge
		host ip link set "$name" up
	done
}

# vif <domid> <devid> [node value]...
# What libxl and netback do before the script runs: nodes, and an interface
# (its peer, guestD.N, plays the guest).
vif() {
	vif_link "vif$1.$2" "guest$1.$2"
	vif_nodes "$@"
}

# vif_nodes <domid> <devid> [node value]...
# The nodes alone.
vif_nodes() {
	nodes "backend/vif/$1/$2" frontend "/local/domain/$1/device/vif/$2" frontend-id "$1" online 1 state 2 \
		script "$scripts/vif-bridge" mac 00:16:3e:00:00:01 handle "$2" type vif hotplug-status '' \
		"/local/domain/$1/device/vif/$2/mac" 00:16:3e:00:00:01 "${@:3}"
}

# of_xenbus <interface> <path of its backend>
# From now on sysfs has what it has of an interface of xen-netback.
of_xenbus() {
	local directory=$BATS_TEST_TMPDIR/sys-$1
	mkdir -p "$directory/device"
	cp "$host_root/sys/class/net/$1/ifindex" "$directory"
	printf '%s\n' "$2" >"$directory/device/nodename"
	host mount --bind "$directory" "/sys/devices/virtual/net/$1"
}

# vif_link <name> <peer>
vif_link() {
	host ip link add "$1" type veth peer name "$2"
}

# vbd <domid> <devid> <target> [node value]...
vbd() {
	local path=backend/vbd/$1/$2
	store_set "$path/frontend" "/local/domain/$1/device/vbd/$2" "$path/frontend-id" "$1" \
		"$path/online" 1 "$path/state" 2 "$path/script" "$scripts/block" "$path/params" "$3" \
		"$path/mode" w "$path/type" phy "$path/dev" xvda "$path/device-type" disk \
		"$path/removable" 0 "$path/bootable" 1
	(($# == 3)) || nodes "$path" "${@:4}"
}

# nodes <path> <node> <value> [node value]...
# A node that begins with a slash is not below that path.
nodes() {
	local path=$1 pairs=()
	shift
	while (($#)); do
		[[ $1 == /* ]] && pairs+=("$1" "$2") || pairs+=("$path/$1" "$2")
		shift 2
	done
	store_set "${pairs[@]}"
}

# domain <domid> [uuid]
# The nodes by which a domain is known.
domain() {
	store_set "/local/domain/$1/vm" "/vm/${2:-0000-$1}" "/local/domain/$1/name" "guest$1" \
		"/local/domain/$1/domid" "$1"
}

# image <name> [size]
# Makes an image file and sets the variable image to its path.
image() {
	image=$BATS_TEST_TMPDIR/$1
	truncate -s "${2:-1M}" "$image"
}

# phy_device
# Makes a block device of the host's, and sets phy to its path. It is detached
# by host_stop; the leak check knows that it is no script's.
phy_device() {
	local file
	file=$(mktemp "${BATS_RUN_TMPDIR:-$BATS_TEST_TMPDIR}/phy.XXXXXX")
	truncate -s 1M "$file"
	phy=$(losetup --find --show "$file")
	rm "$file"
	phys+=("$phy")
}

# libxl_environment <type> <domid> <devid>
# Sets the array environment to what libxl adds to its own.
libxl_environment() {
	environment=(script="$scripts/block" XENBUS_TYPE="$1" XENBUS_PATH="backend/$1/$2/$3" XENBUS_BASE_PATH=backend)
	[[ $1 != vif ]] || environment+=(vif="vif$2.$3" netdev='' INTERFACE="vif$2.$3-emu")
}

# call <script> <verb> <type> <domid> <devid> [argument...]
# As libxl does: relative XENBUS_PATH, stdin from /dev/null, working
# directory /, stdout where stderr goes.
call() {
	local environment
	libxl_environment "$3" "$4" "$5"
	local -x "${environment[@]}"
	host "$scripts/$1" "$2" "${@:6}" </dev/null 2>&1
}

# The calls, each with the ids of the device.
online() { call vif-bridge online vif "$1" "$2" type_if=vif; }
offline() { call vif-bridge offline vif "$1" "$2" type_if=vif; }
tap_add() { call vif-bridge add vif "$1" "$2" type_if=tap; }
tap_remove() { call vif-bridge remove vif "$1" "$2" type_if=tap; }
block_add() { call block add vbd "$1" "$2"; }
block_remove() { call block remove vbd "$1" "$2"; }

# assert_residue_free
assert_residue_free() {
	local residue
	residue=$(host_residue)
	[[ ! $residue ]] || {
		printf 'left behind:\n%s\n' "$residue"
		return 1
	}
}

# assert_node <path> <value>
assert_node() {
	local value
	value=$(store_get "$1") || {
		echo "no node $1"
		return 1
	}
	[[ $value == "$2" ]] || {
		printf 'node %s is %q, not %q\n' "$1" "$value" "$2"
		return 1
	}
}

# assert_refused <path> <hotplug-status> <part of the sentence>
# The device's nodes say why, in one sentence that ends in a full stop.
assert_refused() {
	local sentence
	assert_node "$1/hotplug-status" "$2" || return
	sentence=$(store_get "$1/hotplug-error")
	echo "hotplug-error: $sentence"
	[[ $sentence == *"$3"* && $sentence == *. && $sentence != *$'\n'* ]]
}
