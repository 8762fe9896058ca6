# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What the tests of the helper share. XEN_HOTPLUG names another build of it, such as the one with
# sanitizers.

root=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
helper=${XEN_HOTPLUG:-$root/helpers/xen-hotplug}
# shellcheck source=store.bash
. "$root/tests/lib/store.bash"
# shellcheck source=untraced.bash
. "$root/tests/lib/untraced.bash"
# shellcheck source=sample.bash
. "$root/tests/lib/sample.bash"
# shellcheck source=loops.bash
. "$root/tests/lib/loops.bash"

home=/local/domain/0
# The disk of each guest. A number of this test's own, since the tags of loop devices, which have it,
# are the machine's, and other tests run at the same time.
devid=$(cksum <<<"$BATS_TEST_TMPDIR")
devid=$((${devid%% *} % 2 ** 28))

# helper_setup [option...]
# A store with these options of the mock, a lock file on descriptor 9, a log.
helper_setup() {
	cd "$BATS_TEST_TMPDIR" || return
	untraced
	store_start "$@" || return
	export XEN_HOTPLUG_LOG=$BATS_TEST_TMPDIR/log
	exec 9<>lock
}

# helper_teardown
# Ends the store, and detaches what the test has attached of its own files. Fails if something stays.
helper_teardown() {
	local status=0 loop own
	cd /
	exec 9>&-
	# A mounted loop device goes with its mount; a mount of a file's directory, after the file's.
	mapfile -t own < <(loops)
	for loop in "${own[@]}"; do
		loop_detach "$loop" "$BATS_TEST_TMPDIR"
	done
	until_true helper_umounted || status=1
	until_true no_loops || status=1
	((status == 0)) || printf 'left behind:\n%s\n' "$(helper_mounts && loops)"
	store_stop || status=1
	return "$status"
}

# helper_umounted
# Ends the test's mounts, as far as they are not in use. Is none left? A loop device that was
# detached keeps its file's file system in use until the last one who looks at it has closed it.
helper_umounted() {
	local where left=0
	[[ $(</proc/self/mountinfo) == *" $BATS_TEST_TMPDIR/"* ]] || return 0
	while read -r where; do
		umount "$(printf %b "$where")" 2>/dev/null || left=1
	done < <(helper_mounts)
	((!left))
}

# helper_mounts
# Where the test has mounted something, as mountinfo has it; the upper ones first.
helper_mounts() {
	awk -v dir="$BATS_TEST_TMPDIR/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r
}

# no_loops
# None is left.
no_loops() {
	[[ ! $(loops) ]]
}

# tag_of <loop>
# The name that the kernel keeps for it. losetup shows it only in newer versions.
tag_of() {
	perl -e 'open my $loop, "<", $ARGV[0] or die; my $info = "\0" x 232;
		ioctl $loop, 0x4C05, $info or die; print unpack "Z*", substr $info, 56, 64' "$1"
}

# tag <loop> <text>
# Sets that name.
tag() {
	perl -e 'open my $loop, "+<", $ARGV[0] or die; my $info = "\0" x 232;
		ioctl $loop, 0x4C05, $info or die; substr($info, 56, 64) = pack "a64", $ARGV[1];
		ioctl $loop, 0x4C04, $info or die' "$1" "$2"
}

# loops
# The loop devices of this test's files, and those on top of these, which come first.
loops() {
	grep -qs "^$BATS_TEST_TMPDIR/" /sys/block/loop*/loop/backing_file || return 0
	losetup -l -n -O NAME,BACK-FILE | awk -v dir="$BATS_TEST_TMPDIR/" '
		{ below[$1] = $2 }
		index($2, dir) == 1 { own[$1] = 1; list = $1 " " list }
		END {
			for (found = 1; found--;)
				for (loop in below)
					if (!own[loop] && own[below[loop]]) {
						own[loop] = found = 1
						list = loop " " list
					}
			count = split(list, names, " ")
			for (i = 1; i <= count; i++)
				print names[i]
		}'
}

# call <argument>...
# Runs the helper. Sets status, reply (its fields), and error (what it said).
call() {
	status=0
	"$helper" "$@" >out 2>err || status=$?
	mapfile -d '' -t reply <out
	error=$(<err)
}

# done_with [field...]
# The last call was done, said nothing, and printed exactly these fields.
done_with() {
	local expected=()
	(($# == 0)) || mapfile -d '' -t expected < <(printf '%s\0' "$@")
	if ((status == 0)) && [[ ! $error && ${reply[*]@Q} == "${expected[*]@Q}" ]]; then
		return 0
	fi
	printf 'status %s\nfields   %s\nexpected %s\nerror %s\n' "$status" "${reply[*]@Q}" \
		"${expected[*]@Q}" "$error"
	return 1
}

# ended <status> <pattern>
# The last call ended so, printed nothing, and said one sentence that matches.
ended() {
	# shellcheck disable=SC2053 # it is a pattern
	if ((status == $1)) && [[ ! -s out && $error == $2 && $(wc -l <err) == 1 && $error == *. ]]; then
		return 0
	fi
	printf 'status %s, expected %s\nerror %s\npattern %s\nfields %s\n' "$status" "$1" "$error" \
		"$2" "${reply[*]@Q}"
	return 1
}

# lacks <node>
# There is no such node. (A "!" in a test would not fail it.)
lacks() {
	! store_has "$1"
}

# device <domid> [mode]
# The nodes of that guest and of its disk, as the toolstack makes them.
device() {
	local backend=$home/backend/vbd/$1/$devid
	store_set "$backend/frontend" "/local/domain/$1/device/vbd/$devid" "$backend/frontend-id" "$1" \
		"$backend/mode" "${2:-w}" "$backend/dev" xvda \
		"/local/domain/$1/name" "guest$1" "/local/domain/$1/vm" "/vm/$1"
}

# image <name>
# A small image file.
image() {
	truncate -s 4M "$1"
}

# claim <domid> <mode> <target> [option...]
# Claims a disk for that guest. Sets dev where it was done.
claim() {
	call claim --device "vbd/$1/$devid" --mode "$2" "${@:4}" -- "$3"
	dev=${reply[0]-}
	dev=${dev#device=}
}

# give <domid> <device> [mode]
# That guest has this block device, as the scripts publish it.
give() {
	device "$1" "${3:-w}"
	store_set "$home/backend/vbd/$1/$devid/physical-device" "$(stat -c %t:%T "$2")"
}
