# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The sparse file that keeps what a guest writes over the disk that was
# acquired before it: one that stays, or a temporary one.

overlay_file=''            # its path; empty in a plan, where it is to be made
overlay_base=''            # the block device that it lies over: the disk before it
overlay_sectors=0          # the size of that
overlay_file_header='SnAp' # how Linux' drivers/md/dm-snap-persistent.c marks one that stays

# overlay_file_acquire <path, or empty> <base> <persist: y or n>
# Sets overlay_file, overlay_base and overlay_sectors.
overlay_file_acquire() {
	overlay_file_base
	overlay_file_name "$@"
	if [[ -e $overlay_file ]]; then
		overlay_file_known "$2"
	else
		overlay_file_make
	fi
}

# overlay_file_plan <path, or empty> <base> <persist>
overlay_file_plan() {
	overlay_file_base
	overlay_file_name "$@"
	if [[ -e $overlay_file ]]; then overlay_file_known "$2"; else overlay_file=''; fi
}

# overlay_file_release <path, or empty> <base> <persist>
# What stays is kept once the kernel has marked it: before, no guest has written there.
overlay_file_release() {
	local made header=''
	journal_recall made made
	[[ $made ]] || return 0
	[[ $3 == n ]] || IFS= read -r -d '' -n 4 header 2>/dev/null <"$made" || :
	[[ $header == "$overlay_file_header" ]] || run rm --force -- "$made"
}

# overlay_file_base
# Sets overlay_base and overlay_sectors.
overlay_file_base() {
	local number=${physical_device/N/0} # a plan has no number for a loop device
	overlay_base=$dev overlay_sectors=0
	read -r overlay_sectors 2>/dev/null <"/sys/dev/block/$((16#${number%:*})):$((16#${number#*:}))/size" || :
}

# overlay_file_name <path, or empty> <base> <persist>
# Sets overlay_file. A temporary name has a number that nobody else has.
overlay_file_name() {
	local shown
	quote shown "$2"
	overlay_file=$1
	[[ $3 == n ]] || {
		[[ $1 ]] || fail "The parameter file is missing, in which block-overlay is to keep what the guest writes over $shown; add it, or persist=n."
		return
	}
	[[ $1 || -f $2 ]] || fail "The base $shown is no file, so that the parameter file has to say where a temporary file may be; add it."
	printf -v overlay_file '%s.%s.%08x' "${1:-$2}" "${device_id//\//-}" "$SRANDOM"
}

# overlay_file_make
# Its size lets the guest write all of the disk: a page of numbers is for 256 pages of data.
overlay_file_make() {
	local shown
	quote shown "$overlay_file"
	journal_remember made "$overlay_file"
	set -o noclobber # what came there meanwhile is not ours
	: 2>/dev/null >"$overlay_file" ||
		fail "Cannot make the file $shown; see its directory, and whether that file system is full or read-only."
	set +o noclobber
	run truncate --size="$((overlay_sectors * (512 + 2) + 1048576))" -- "$overlay_file" ||
		fail "Cannot make the file $shown as large as the disk: $reason"
}

# overlay_file_known <base>
# Fails unless it is an overlay of the base as that is now.
overlay_file_known() {
	local shown base header=''
	quote shown "$overlay_file"
	quote base "$1"
	IFS= read -r -d '' -n 4 header 2>/dev/null <"$overlay_file" || :
	[[ $header == "$overlay_file_header" ]] ||
		fail "The file $shown is there and is no overlay that a guest has written; correct file=, or delete it where nobody needs it."
	[[ ! -f $1 || ! $1 -nt $overlay_file ]] ||
		fail "The base $base has changed since a guest wrote to its overlay $shown, which does not fit it any more; put the old base back, or delete the overlay."
}
