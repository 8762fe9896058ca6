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

# tap_acquire <format:file> <mode>
# Reads disk_kind; sets dev, and physical_device where it is a block device.
tap_acquire() {
	local image='' token='' pid='' minor='' node='' opened=''
	[[ $disk_kind == file ]] ||
		fail "'${1#*:}' is a block device, but $hotplug_name only takes image files; use script=block for it."
	tap_image "${1#*:}"
	lock "tap $image" || fail "$reason"
	tap_share "${1%%:*}" "$2" || printf -v token '%08x%08x' "$SRANDOM" "$SRANDOM"
	journal_remember tap "$token $image" "tap $image" "$token ${1%%:*} $2"
	if [[ $opened ]]; then
		journal_remember tap_made "$token $pid $minor $node"
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
	disk_in_use=1
	return 1
}

# tap_leave
# Fails with reason set if the tapdisk could not be ended.
tap_leave() {
	local note token image pid='' minor='' node='' opened='' attached=''
	journal_recall note tap
	[[ $note ]] || return 0
	read -r token image <<<"$note"
	lock "tap $image" || return 1
	! tap_needed "$image" "$token" || return 0
	journal_recall note tap_made
	read -r _ pid minor node <<<"$note"
	tap_find "$token" "$pid" && tap_end && tap_free
}

# tap_check <format:file> <mode>
tap_check() {
	local note token pid minor='' opened='' attached=''
	journal_recall note tap_made
	read -r token pid _ <<<"$note"
	tap_find "$token" "$pid" || return
	[[ $opened ]] || reason="The tapdisk of '${1#*:}' has ended."
	[[ ! $reason ]]
}

# tap_image <file>
# Sets image (declared by the caller) to the file's identity, whatever its path.
tap_image() {
	local field
	helper identify -- "$1" || fail "$reason"
	for field in "${run_reply[@]}"; do
		[[ $field != extent=* ]] || image+="${field#*=},"
	done
}

# tap_share <format> <mode>
# Sets token, pid, minor, node and opened to the tapdisk that another device has for
# image (all declared by the caller). Fails if there is none.
tap_share() {
	local other of_format of_mode
	journal_others "tap $image"
	for other in "${journal_theirs[@]}"; do
		read -r token of_format of_mode <<<"$other"
		[[ $of_format == "$1" ]] ||
			fail "The image is open as $of_format for another disk, so it cannot be opened as $1; write $of_format: into the guest's configuration."
		[[ $of_mode != r || $2 == r ]] ||
			fail "The image is open read-only for another disk of this guest; detach that first, or make it writable, too."
		tap_made "$token"
		tap_find "$token" "$pid" || fail "$reason"
		[[ ! $opened ]] || return 0
	done
	return 1
}

# tap_made <token>
# Sets pid, minor and node (declared by the caller) from another device's journal.
tap_made() {
	local other of_token values
	journal_others tap_made
	for other in "${journal_theirs[@]}"; do
		read -r of_token values <<<"$other"
		[[ $of_token != "$1" ]] || read -r pid minor node <<<"$values"
	done
}

# tap_needed <image> <token>
# Does another device of ours use this tapdisk?
tap_needed() {
	journal_others "tap $1"
	[[ " ${journal_theirs[*]}" == *" $2 "* ]]
}

# tap_find <token> <process id, or empty>
# Sets pid, attached, minor and opened (declared by the caller) to what tap-ctl
# prints for the tapdisk; pid is empty if it has ended. Fails with reason set.
tap_find() {
	local line lines of=() entry='^pid=([0-9]+)( minor=([0-9]+))?( state=[^ ]*)?( args=.*)?$'
	[[ ! $2 ]] || of=(-p "$2")
	run tap-ctl list "${of[@]}" || return 1
	mapfile -t lines <<<"$run_output"
	pid='' attached='' opened='' reason=''
	for line in "${lines[@]}"; do
		[[ $line =~ $entry ]] || continue
		tap_is "${BASH_REMATCH[1]}" "$1" || continue
		pid=${BASH_REMATCH[1]} attached=${BASH_REMATCH[3]} opened=${BASH_REMATCH[5]}
		minor=${attached:-$minor}
	done
	# tap-ctl omits a tapdisk that does not answer, and succeeds.
	[[ $pid || ! $2 ]] || ! tap_is "$2" "$1" || tap_silent "$2"
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
# Starts a tapdisk for token; sets pid, minor and node (all declared by the caller).
tap_make() {
	local read_only=()
	[[ $2 != r ]] || read_only=(-R)
	run env "$tap_tag=$token" tap-ctl spawn || fail "Cannot start a tapdisk: $reason"
	pid=${run_output%$'\n'}
	[[ $pid =~ ^[1-9][0-9]*$ ]] || fail "tap-ctl spawn printed ${pid@Q} instead of a process id; please report it, with the version of blktap."
	journal_remember tap_made "$token $pid"
	tap_allocate
	run tap-ctl attach -p "$pid" -m "$minor" || fail "Cannot give tapdisk the minor number $minor: $reason"
	run tap-ctl open -p "$pid" -m "$minor" -a "$1" "${read_only[@]}" ||
		fail "tapdisk cannot open '${1#*:}' as ${1%%:*}; see whether it is such an image (${reason%.})."
}

# tap_allocate
# Sets minor and node (declared by the caller). First records the numbers that are
# in use, because a kill can come before tap-ctl prints what it allocated.
tap_allocate() {
	local numbers
	tap_numbers
	journal_remember tap_before " ${numbers[*]} "
	run tap-ctl allocate || fail "Cannot allocate a minor number for tapdisk: $reason"
	node=${run_output%$'\n'} minor=${run_output%$'\n'}
	minor=${minor##*[!0-9]}
	[[ $node == /*[!0-9]"$minor" && $minor ]] || fail "tap-ctl allocate printed ${node@Q} instead of a device; please report it, with the version of blktap."
	journal_remember tap_made "$token $pid $minor $node"
}

# tap_numbers
# Sets numbers (declared by the caller) to those that are allocated.
tap_numbers() {
	local prefix path
	numbers=()
	for prefix in "${tap_devices[@]}"; do
		for path in "$prefix"[0-9]*; do
			[[ ! -e $path ]] || numbers+=("${path#"$prefix"}")
		done
	done
}

# tap_end
# A tapdisk ends when its last image is closed and detached. One that never had an
# image has to be killed, and its socket deleted.
tap_end() {
	[[ $pid ]] || return 0
	[[ ! $opened ]] || run tap-ctl close -p "$pid" -m "$attached" || return 1
	if [[ $attached ]]; then
		run tap-ctl detach -p "$pid" -m "$attached" || return 1
	elif tap_is "$pid" "$token"; then
		kill "$pid" || :
		run rm -f -- "$tap_directory/ctl$pid" || return 1
	fi
}

# tap_free
# Frees minor (declared by the caller) or, if a kill came before it was known, the
# candidates.
tap_free() {
	local numbers=("$minor") number
	[[ $minor ]] || tap_suspect
	for number in "${numbers[@]}"; do
		tap_free_one "$number" || return 1
	done
}

# tap_suspect
# Sets numbers (declared by the caller) to those allocated since tap_allocate
# recorded them, except those of other devices of ours.
tap_suspect() {
	local before all=()
	numbers=()
	journal_recall before tap_before
	[[ $before ]] || return 0
	tap_numbers
	all=("${numbers[@]}") numbers=()
	journal_others tap_made
	for number in "${all[@]}"; do
		[[ "$before ${journal_theirs[*]} " == *" $number "* ]] || numbers+=("$number")
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
# With blktap in the kernel, node (declared by the caller) is a block device for
# blkback.
tap_give_vbd() {
	local field
	[[ -b $node ]] ||
		fail "The kernel of this host has no blktap, so tapdisk serves no block device; attach the disk with backendtype=tap (Xen 4.19 or later, and tapback)."
	helper identify -- "$node" || fail "$reason"
	for field in "${run_reply[@]}"; do
		[[ $field != physical-device=* ]] || physical_device=${field#*=}
	done
	dev=$node
}

# tap_give_vbd3
# tapback finds its tapdisk by this socket, and needs no number.
tap_give_vbd3() {
	dev=$tap_directory/nbd$pid.$minor physical_device=''
	[[ -S $dev ]] || fail "tapdisk has no socket '$dev', so it is too old for backendtype=tap; install a newer one."
}
