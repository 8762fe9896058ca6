# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Guests, and what is left of them: sourced by the suite, which runs in dom0.
#
# E2E_WORK      images, configurations, and guest/: the guests' kernel and initramfs
# E2E_SOURCE    the checkout
# E2E_UPSTREAM  Xen's own scripts, as the package brings them
E2E_WORK=${E2E_WORK:-/var/lib/e2e} E2E_SOURCE=${E2E_SOURCE:-/var/lib/e2e/source}
E2E_UPSTREAM=${E2E_UPSTREAM:-/var/lib/e2e/upstream}
# shellcheck source=../../lib/pace.bash
. "${BASH_SOURCE[0]%/*}/../../lib/pace.bash"

bats_require_minimum_version 1.5.0 2>/dev/null || : # a person's shell has no bats
scripts=/etc/xen/scripts
run_dir=/run/xen-hotplug

# xl <argument>...
# One that creates a guest stays as long as that; bats waits for whoever has its descriptor 3.
xl() {
	PATH=${E2E_PATH:-$PATH} command xl "$@" 3>&-
}

# image <name>
# Makes an empty image file and sets the variable image to its path.
image() {
	image=$E2E_WORK/$1.img
	rm -f -- "$image"
	truncate -s 8M "$image"
}

# guest <name> <number> [line...]
# Starts a PV guest with a disk and an interface of its own, unless it runs.
# It has the addresses 10.9.N.<number>. More lines go to its configuration,
# where a later one wins.
guest() {
	xl domid "$1" >/dev/null 2>&1 && return
	guest_config "$@"
	xl create "$E2E_WORK/$1.cfg" || return
	guest_answers "10.9.0.$2"
}

# guest_config <name> <number> [line...]
guest_config() {
	image "$1"
	printf '%s\n' "name='$1'" "type='pv'" "kernel='$E2E_WORK/guest/kernel'" \
		"ramdisk='$E2E_WORK/guest/initramfs'" "extra='console=hvc0 quiet guest=$1,$2'" \
		'memory=160' "vif=['bridge=xenbr0']" "disk=['$image,raw,xvda,w']" "${@:3}" >"$E2E_WORK/$1.cfg"
}

# guest_paused <name> [line...]
# A guest that never runs: all that scripts do is done when xl create ends.
guest_paused() {
	guest_config "$1" 99 'memory=96' 'vif=[]' "${@:2}"
	xl create -p "$E2E_WORK/$1.cfg"
}

# guest_hvm <name> <vif>...
# Starts an HVM guest, which finds nothing to boot: its device model is what counts.
guest_hvm() {
	image "$1"
	printf '%s\n' "name='$1'" "type='hvm'" 'memory=128' 'vnc=0' "vif=[$(commas "${@:2}")]" \
		"disk=['$image,raw,xvda,w']" >"$E2E_WORK/$1.cfg"
	xl create "$E2E_WORK/$1.cfg"
}

# within <seconds> <command>...
# Waits until it succeeds, at most that many seconds of the reference machine.
within() {
	local until=$((SECONDS + $1 * TEST_PACE))
	until "${@:2}" >/dev/null 2>&1; do
		((SECONDS < until)) || {
			echo "not within $(($1 * TEST_PACE)) s: ${*:2}"
			return 1
		}
		pause
	done
}

# pause
# 0.2 s, without a program: nothing ever comes out of this pipe.
pause() {
	[[ ${pause_pipe-} ]] || exec {pause_pipe}<> <(:)
	read -r -t 0.2 -u "$pause_pipe" || :
}

# guest_answers <address>
guest_answers() {
	within 90 ping -c 1 -W 1 "$1" || {
		echo "No guest comes up at $1: see its xen/console/guest-NAME.log."
		return 1
	}
}

# commas <item>...
# A list for xl, which has each in quotes.
commas() {
	local list
	printf -v list "'%s'," "$@"
	printf '%s' "${list%,}"
}

# guest_does <guest> <command>
# In the guest's shell. Its status; what it prints is in the log of the guest's console.
guest_does() {
	local tty did mark=did-${EPOCHREALTIME/[.,]/}
	tty=$(xenstore-read "/local/domain/$(xl domid "$1")/console/tty") || return
	printf '( %s\n) </dev/null; echo "%s $?"\n' "$2" "$mark" >"$tty"
	within 60 guest_did "$1" "$mark" && return "$did"
}

# guest_did <guest> <mark>
# Sets the caller's did to the status that stands behind the mark, when all of that line is there.
guest_did() {
	did=$(sed -n "s/^$2 \([0-9]*\)\r\$/\1/p" "/var/log/xen/console/guest-$1.log")
	[[ $did ]]
}

# has_sector <image> <guest> <disk>
# Has this guest written the first sector of this disk?
has_sector() {
	[[ $(first_line "$1") == "guest $2, disk $3" ]]
}

# first_line <image>
# Prints its first line, unless it begins with NUL. What a guest writes to a block
# device does not pass dom0's page cache, which would have the old sector for ever.
first_line() {
	local text=''
	if [[ -b $1 ]]; then
		IFS= read -r -d '' text < <(dd if="$1" bs=4096 count=1 iflag=direct status=none) || :
	else
		IFS= read -r -d '' text <"$1" || :
	fi
	printf '%s' "${text%%$'\n'*}"
}

# said <guest> <text>
# Prints how often the guest has said so on its console.
said() {
	grep -acF -- "$2" "/var/log/xen/console/guest-$1.log" || :
}

# said_more <guest> <text> <than>
said_more() {
	(($(said "$1" "$2") > $3))
}

# all_in_state_4 vbd|vif <domid> <number>
# So many, and the drivers at both ends say that they are connected.
all_in_state_4() {
	local home=/local/domain/0/backend/$1/$2 device devices
	mapfile -t devices < <(xenstore-list "$home")
	((${#devices[@]} == $3)) || return
	for device in "${devices[@]}"; do
		[[ $(xenstore-read "$home/$device/state") == 4 ]] || return
	done
}

# is_port <interface>
is_port() {
	[[ -e /sys/class/net/xenbr0/brif/$1 ]]
}

# guests_destroy
# All of them, and what a test that failed has left.
guests_destroy() {
	local name loop
	scripts_ours
	while read -r name; do
		xl destroy "$name"
	done < <(xl list | awk 'NR > 1 && $1 != "Domain-0" { print $1 }')
	loops | while read -r loop _; do losetup -d "$loop"; done
	rm -rf -- "$run_dir"/v*-*
}

# loops
# The loop devices over our images, with the images.
loops() {
	local loop image
	for loop in /sys/block/loop*/loop; do
		{ read -r image <"$loop/backing_file"; } 2>/dev/null || continue
		loop=${loop%/loop}
		[[ $image != "$E2E_WORK"/* ]] || printf '%s %s\n' "/dev/${loop##*/}" "$image"
	done
}

# locks
# Those that are held, by any script.
locks() {
	local inode
	inode=$(stat -c %i "$run_dir/lock" 2>/dev/null) || return 0
	grep ":$inode " /proc/locks || :
}

# residue [domid]
# All that a script could have left, of this guest or of all.
residue() {
	local port journal
	for journal in "$run_dir"/v*; do
		[[ ! -e $journal || ${journal##*/} != v*-${1:-*}-* ]] || echo "journal ${journal##*/}"
	done
	for port in /sys/class/net/xenbr0/brif/*; do
		[[ ! -e $port || (${1-} && ${port##*/} != "vif$1".*) ]] || echo "port ${port##*/}"
	done
	[[ ${1-} ]] || loops
	locks
	processes xen-hotplug
}

# processes <name>
# The processes of that name; without a program, as it is asked often.
processes() {
	local file name
	for file in /proc/[0-9]*/comm; do
		{ read -r name <"$file"; } 2>/dev/null || continue
		[[ $name != "$1" ]] || printf '%s %s\n' "${file//[!0-9]/}" "$name"
	done
}

# same_residue <before>
# What is there is what was there before. A loop device that is held goes when
# its last user does, which for a kernel thread may be a moment later.
same_residue() {
	within 15 is_residue "$1" || {
		printf 'before:\n%s\nnow:\n%s\n' "$1" "$(residue)"
		return 1
	}
}
is_residue() {
	[[ $(residue) == "$1" ]]
}

# refused <part of the sentence> <command>...
# The command fails, and what it prints names the cause: ours, as libxl quotes it.
refused() {
	run "${@:2}"
	printf '%s\n' "$output"
	((status != 0)) && grep -F 'device_hotplug_child_death_cb: script: ' <<<"$output" | grep -qF -- "$1"
}

# scripts_ours, scripts_upstream
# Whose block and vif-bridge libxl is to call from now on.
scripts_ours() {
	make --no-print-directory -s -C "$E2E_SOURCE" -o helpers/xen-hotplug MAN= install
}
scripts_upstream() {
	cp -p "$E2E_UPSTREAM/block" "$E2E_UPSTREAM/vif-bridge" "$scripts/"
}

# e2e_teardown
# A test that failed must not be the reason why the next ones do.
e2e_teardown() {
	[[ ${BATS_TEST_COMPLETED-} ]] && return
	echo 'What the scripts have logged:'
	journalctl --no-pager -t xen-hotplug -n 15 -o cat || :
	echo 'What the guests have said:'
	tail -n 5 /var/log/xen/console/guest-*.log || :
	guests_destroy >/dev/null 2>&1 || :
}
