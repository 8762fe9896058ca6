# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The sparse file that stores a guest's writes to a snapshot of the disk acquired
# before it: persistent or temporary. It is opened once: its name may lead to another
# file when it is claimed.

overlay_file_path=''       # empty in a plan if it does not exist yet
overlay_file_open=''       # the same, as an open file of this bash's
overlay_file_base=''       # the block device of the base, the disk before it
overlay_file_sectors=0     # the size of that
overlay_file_header='SnAp' # the magic of a persistent one, in Linux' drivers/md/dm-snap-persistent.c

overlay_file_arguments='PATH BASE PERSIST'

# overlay_file_acquire <path, or empty> <base> <persist: y or n>
# Sets overlay_file_path, overlay_file_open, overlay_file_base and overlay_file_sectors.
overlay_file_acquire() {
	overlay_file_base
	overlay_file_name "$@"
	if [[ -e $overlay_file_path ]]; then
		overlay_file_take "$2"
	else
		overlay_file_make
	fi
}

# overlay_file_plan <path, or empty> <base> <persist>
overlay_file_plan() {
	overlay_file_base
	overlay_file_name "$@"
	if [[ -e $overlay_file_path ]]; then overlay_file_known "$2" "$overlay_file_path"; else overlay_file_path=''; fi
}

# overlay_file_release <path, or empty> <base> <persist>
# Keeps a persistent file that has the kernel's header; without it, no guest has
# written to the file.
overlay_file_release() {
	local made header=''
	journal_recall made made
	[[ $made ]] || return 0
	[[ $3 == n ]] || IFS= read -r -d '' -n 4 header 2>/dev/null <"$made" || :
	[[ $header == "$overlay_file_header" ]] || run rm --force -- "$made"
}

# overlay_file_sweep <path, or empty> <base> <persist>
overlay_file_sweep() {
	overlay_file_release "$@"
}

# overlay_file_base
# Sets overlay_file_base and overlay_file_sectors.
overlay_file_base() {
	local number=${physical_device/N/0} # a plan has no number for a loop device
	overlay_file_base=$dev overlay_file_sectors=0
	read -r overlay_file_sectors 2>/dev/null <"/sys/dev/block/$((16#${number%:*})):$((16#${number#*:}))/size" || :
}

# overlay_file_name <path, or empty> <base> <persist>
# Sets overlay_file_path. A temporary name has a unique number.
overlay_file_name() {
	local shown
	quote shown "$2"
	overlay_file_path=$1
	[[ $3 == n ]] || {
		[[ $1 ]] || fail "$hotplug_name needs file=PATH to store what the guest writes over $shown; add it to the guest's configuration, or persist=n."
		return
	}
	[[ $1 || -f $2 ]] || fail "The base $shown is a block device, so there is no directory for a temporary file; add file=PATH to the guest's configuration."
	printf -v overlay_file_path '%s.%s.%08x' "${1:-$2}" "${device_id//\//-}" "$SRANDOM"
}

# overlay_file_make
# Large enough for the guest to write all of the disk: 256 pages of data need one
# page of metadata.
overlay_file_make() {
	local shown fd
	quote shown "$overlay_file_path"
	journal_remember made "$overlay_file_path"
	set -o noclobber # a file that was just created there is not ours
	{ exec {fd}>"$overlay_file_path"; } 2>/dev/null ||
		fail "Cannot create the file $shown; see its directory, and whether that file system is full or read-only."
	set +o noclobber
	overlay_file_open=/proc/$$/fd/$fd
	run truncate --size="$((overlay_file_sectors * (512 + 2) + 1048576))" -- "$overlay_file_open" ||
		fail "Cannot extend the file $shown to the size of the disk: $reason"
}

# overlay_file_take <base>
# Opens an existing file. Nothing waits for one that is a pipe: it is opened for both.
overlay_file_take() {
	local shown fd
	quote shown "$overlay_file_path"
	overlay_file_known "$1" "$overlay_file_path"
	{ exec {fd}<>"$overlay_file_path"; } 2>/dev/null ||
		fail "Cannot open the file $shown; see its permissions, and whether that file system is read-only."
	overlay_file_open=/proc/$$/fd/$fd
	overlay_file_known "$1" "$overlay_file_open"
}

# overlay_file_known <base> <file, or open file>
# Fails unless it is an overlay of the base, and the base has not changed since.
overlay_file_known() {
	local shown base header=''
	quote shown "$overlay_file_path"
	quote base "$1"
	[[ ! -f $2 ]] || IFS= read -r -d '' -n 4 header 2>/dev/null <"$2" || :
	[[ $header == "$overlay_file_header" ]] ||
		fail "The file $shown exists, but is not an overlay written by a guest; correct file=, or delete it if nothing needs it."
	[[ ! -f $1 || ! $1 -nt $2 ]] ||
		fail "The base $base was modified after its overlay $shown was written, so they no longer match; restore the old base, or delete the overlay."
}
