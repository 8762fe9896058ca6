# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A tapdisk that serves an image file: a process, and a minor number that tap-ctl
# allocates. Devices with the same image share one tapdisk, because two would not
# see each other's writes. The resource disk, which claims the file, has already
# decided who may use it.

# shellcheck source=disk.sh
resource_find disk
library journal-read

# An environment variable of our tapdisks that identifies the attach that started
# it, because a kill can come before its process id is known.
tap_tag=XEN_HOTPLUG_TAP

tap_directory=/run/blktap-control
tap_devices=("$tap_directory"/tapdisk/tapdisk- /dev/xen/blktap-2/tapdev) # without and with a kernel that has blktap

tap_image=''    # the identity of the image file, whatever its path
tap_numbers=()  # set by tap_list: the minor numbers that are allocated
tap_suspects=() # set by tap_suspect: those allocated since tap_allocate listed them, but for other devices'

# The device's tapdisk, as far as it is known:
tap_token=''    # the value of tap_tag
tap_pid=''      # its process id; empty if it has ended
tap_minor=''    # its minor number
tap_node=''     # what tap-ctl allocated with that: a block device, if the kernel has blktap
tap_attached='' # the minor number, if it is attached to that
tap_opened=''   # set if it has opened its image

# tap_forget
# Begins with an unknown tapdisk.
tap_forget() {
	tap_image='' tap_token='' tap_pid='' tap_minor='' tap_node='' tap_attached='' tap_opened=''
}

tap_arguments='FORMAT:FILE MODE'

# tap_acquire <format:file> <mode>
# Reads disk_kind and dev, the loop device that holds the file; sets dev, and
# physical_device where it is a block device.
tap_acquire() {
	tap_forget
	[[ $disk_kind == file ]] ||
		fail "'${1#*:}' is a block device, but $hotplug_name only takes image files; use script=block for it."
	tap_identify "${1#*:}"
	lock "tap $tap_image" || fail "$reason"
	tap_share "${1%%:*}" "$2" || printf -v tap_token '%08x%08x' "$SRANDOM" "$SRANDOM"
	journal_remember tap "$tap_token $tap_image" "tap $tap_image" "$tap_token ${1%%:*} $2"
	if [[ $tap_opened ]]; then
		journal_remember tap_made "$tap_token $tap_pid $tap_minor $tap_node"
	else
		tap_make "$1" "$2"
	fi
	"tap_give_$type"
}

# tap_expect <format:file> <mode>
# There is no device before the attach.
tap_expect() {
	dev='' physical_device=''
}

# tap_release <format:file> <mode>
# The last device ends the tapdisk. If that fails, the image stays claimed.
tap_release() {
	tap_leave && return 0
	disk_keep
	return 1
}

# tap_leave
# Fails with reason set if the tapdisk could not be ended.
tap_leave() {
	local note
	tap_forget
	journal_recall note tap
	[[ $note ]] || return 0
	read -r tap_token tap_image <<<"$note"
	lock "tap $tap_image" || return 1
	! tap_needed "$tap_image" "$tap_token" || return 0
	journal_recall note tap_made
	read -r _ tap_pid tap_minor tap_node <<<"$note"
	tap_find "$tap_token" "$tap_pid" && tap_end && tap_free
}

# tap_check <format:file> <mode>
tap_check() {
	local note
	tap_forget
	journal_recall note tap_made
	read -r tap_token tap_pid _ <<<"$note"
	tap_find "$tap_token" "$tap_pid" || return
	[[ $tap_opened ]] || reason="The tapdisk of '${1#*:}' has ended."
	[[ ! $reason ]]
}

# tap_identify <file>
# Sets tap_image.
tap_identify() {
	local field
	tap_image=''
	helper identify -- "$1" || fail "$reason"
	for field in "${run_reply[@]}"; do
		[[ $field != extent=* ]] || tap_image+="${field#*=},"
	done
}

# tap_share <format> <mode>
# Takes the tapdisk that another device has for tap_image. Fails if there is none.
tap_share() {
	local other of_format of_mode
	journal_others "tap $tap_image"
	for other in "${journal_theirs[@]}"; do
		read -r tap_token of_format of_mode <<<"$other"
		[[ $of_format == "$1" ]] ||
			fail "The image is open as $of_format for another disk, so it cannot be opened as $1; write $of_format: into the guest's configuration."
		[[ $of_mode != r || $2 == r ]] ||
			fail "The image is open read-only for another disk of this guest; detach that first, or make it writable, too."
		tap_made "$tap_token"
		tap_find "$tap_token" "$tap_pid" || fail "$reason"
		[[ ! $tap_opened ]] || return 0
	done
	return 1
}

# tap_made <token>
# Sets tap_pid, tap_minor and tap_node from another device's journal.
tap_made() {
	local other of_token values
	journal_others tap_made
	for other in "${journal_theirs[@]}"; do
		read -r of_token values <<<"$other"
		[[ $of_token != "$1" ]] || read -r tap_pid tap_minor tap_node <<<"$values"
	done
}

# tap_needed <image> <token>
# Does another device of ours use this tapdisk?
tap_needed() {
	journal_others "tap $1"
	[[ " ${journal_theirs[*]}" == *" $2 "* ]]
}

# tap_find <token> <process id, or empty>
# Sets tap_pid, tap_attached, tap_minor and tap_opened to what tap-ctl prints for the
# tapdisk. Fails with reason set.
tap_find() {
	local line lines of=() entry='^pid=([0-9]+)( minor=([0-9]+))?( state=[^ ]*)?( args=.*)?$'
	[[ ! $2 ]] || of=(-p "$2")
	run tap-ctl list "${of[@]}" || return 1
	mapfile -t lines <<<"$run_output"
	tap_pid='' tap_attached='' tap_opened='' reason=''
	for line in "${lines[@]}"; do
		[[ $line =~ $entry ]] || continue
		tap_is "${BASH_REMATCH[1]}" "$1" || continue
		tap_pid=${BASH_REMATCH[1]} tap_attached=${BASH_REMATCH[3]} tap_opened=${BASH_REMATCH[5]}
		tap_minor=${tap_attached:-$tap_minor}
	done
	# tap-ctl omits a tapdisk that does not answer, and succeeds.
	[[ $tap_pid || ! $2 ]] || ! tap_is "$2" "$1" || tap_silent "$2"
}

# tap_silent <process id>
# Fails, with reason set.
tap_silent() {
	reason="The tapdisk with process id $1 does not answer tap-ctl; see what it waits for, or end it (kill -KILL $1), then try again."
	return 1
}

# tap_is <process id> <token>
# Is it the tapdisk that was started with this token?
tap_is() {
	local environment
	mapfile -d '' -t environment 2>/dev/null <"/proc/$1/environ" || return 1
	[[ " ${environment[*]} " == *" $tap_tag=$2 "* ]]
}

# tap_make <format:file> <mode>
# Starts a tapdisk with tap_token; sets tap_pid, tap_minor and tap_node.
tap_make() {
	local read_only=()
	[[ $2 != r ]] || read_only=(-R)
	run env "$tap_tag=$tap_token" tap-ctl spawn || fail "Cannot start a tapdisk: $reason"
	tap_pid=${run_output%$'\n'}
	[[ $tap_pid =~ ^[1-9][0-9]*$ ]] || fail "tap-ctl spawn printed ${tap_pid@Q} instead of a process id; please report it, with the version of blktap."
	journal_remember tap_made "$tap_token $tap_pid"
	tap_allocate
	run tap-ctl attach -p "$tap_pid" -m "$tap_minor" || fail "Cannot give tapdisk the minor number $tap_minor: $reason"
	run tap-ctl open -p "$tap_pid" -m "$tap_minor" -a "$1" "${read_only[@]}" ||
		fail "tapdisk cannot open '${1#*:}' as ${1%%:*}; see whether it is such an image (${reason%.})."
	# tapdisk opens a name, which may have become another file's since the claim.
	helper serves "$tap_pid" "$dev" || fail "tapdisk has not opened the file '${1#*:}' that is claimed: $reason"
}

# tap_allocate
# Sets tap_minor and tap_node. First records the numbers that are in use, because a
# kill can come before tap-ctl prints what it allocated.
tap_allocate() {
	tap_list
	journal_remember tap_before " ${tap_numbers[*]} "
	run tap-ctl allocate || fail "Cannot allocate a minor number for tapdisk: $reason"
	tap_node=${run_output%$'\n'} tap_minor=${run_output%$'\n'}
	tap_minor=${tap_minor##*[!0-9]}
	[[ $tap_node == /*[!0-9]"$tap_minor" && $tap_minor ]] || fail "tap-ctl allocate printed ${tap_node@Q} instead of a device; please report it, with the version of blktap."
	journal_remember tap_made "$tap_token $tap_pid $tap_minor $tap_node"
}

# tap_list
# Sets tap_numbers.
tap_list() {
	local prefix path
	tap_numbers=()
	for prefix in "${tap_devices[@]}"; do
		for path in "$prefix"[0-9]*; do
			[[ ! -e $path ]] || tap_numbers+=("${path#"$prefix"}")
		done
	done
}

# tap_end
# A tapdisk ends when its last image is closed and detached. One that never had an
# image has to be killed, and its socket deleted.
tap_end() {
	[[ $tap_pid ]] || return 0
	[[ ! $tap_opened ]] || run tap-ctl close -p "$tap_pid" -m "$tap_attached" || return 1
	if [[ $tap_attached ]]; then
		run tap-ctl detach -p "$tap_pid" -m "$tap_attached" || return 1
	elif tap_is "$tap_pid" "$tap_token"; then
		kill "$tap_pid" || :
		helper forget "$tap_directory/ctl$tap_pid" || return 1
	fi
}

# tap_free
# Frees tap_minor or, if a kill came before it was known, the candidates.
tap_free() {
	local number
	tap_suspects=("$tap_minor")
	[[ $tap_minor ]] || tap_suspect
	for number in "${tap_suspects[@]}"; do
		tap_free_one "$number" || return 1
	done
}

# tap_suspect
# Sets tap_suspects.
tap_suspect() {
	local before number
	tap_suspects=()
	journal_recall before tap_before
	[[ $before ]] || return 0
	tap_list
	journal_others tap_made
	for number in "${tap_numbers[@]}"; do
		[[ "$before ${journal_theirs[*]} " == *" $number "* ]] || tap_suspects+=("$number")
	done
}

# tap_free_one <number>
# tap-ctl's status is an errno: the number may be free already (ENOENT), or
# reallocated to another tapdisk (EAGAIN, EBUSY).
tap_free_one() {
	local status=0
	run tap-ctl free -m "$1" || status=$?
	[[ $status == @(0|2|11|16) ]]
}

# tap_give_vbd
# With blktap in the kernel, tap_node is a block device for blkback.
tap_give_vbd() {
	local field
	[[ -b $tap_node ]] ||
		fail "The kernel of this host has no blktap, so tapdisk serves no block device; attach the disk with backendtype=tap (Xen 4.19 or later, and tapback)."
	helper identify -- "$tap_node" || fail "$reason"
	for field in "${run_reply[@]}"; do
		[[ $field != physical-device=* ]] || physical_device=${field#*=}
	done
	dev=$tap_node
}

# tap_give_vbd3
# tapback finds its tapdisk by this socket, and needs no number.
tap_give_vbd3() {
	dev=$tap_directory/nbd$tap_pid.$tap_minor physical_device=''
	[[ -S $dev ]] || fail "tapdisk has no socket '$dev', so it is too old for backendtype=tap; install a newer one."
}
