# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a device holds, on disk before it is acquired, so that whoever comes
# after a SIGKILL knows, and so do other devices. One file a device; a record is
# its word, its number of fields, the fields and an empty one, each ended by
# NUL. A record that a kill cut short describes something that was not begun yet.

journal_directory=/run/xen-hotplug # the journals, and the helper's lock file
: "${journal_file=}"               # this device's, set by the helper

journal_format=2          # what this framework writes; files without such a record are of format 1
journal_live=''           # set while what happens is written down
journal_name=()           # the resources, in the order in which they were acquired
journal_first=()          # where each one's arguments begin in journal_values
journal_count=()          # and how many they are
journal_values=()         # all arguments
declare -gA journal_notes # "index key" -> what the resource remembered
journal_published=()      # what its nodes were given: dev and physical_device
journal_age=''            # set by journal_read: old where this host has booted since
journal_at=-1             # the resource that is being acquired, released or checked

# journal_start
# An empty file says already that this device is ours to detach.
journal_start() {
	local boot=''
	journal_live=1
	{ : >"$journal_file"; } 2>/dev/null ||
		fail "Cannot write $journal_file; see whether that file system is full or read-only."
	journal_write format "$journal_format"
	read -r boot 2>/dev/null </proc/sys/kernel/random/boot_id || :
	journal_write attach "$boot" "$0" "$EPOCHSECONDS"
}

# journal_forget [--log <line>]
# Removes it. The device is released with that, however the call ends.
journal_forget() {
	run_tell phase forget
	helper forget "$@" "$journal_file" || fail "$reason"
}

# journal_publish <dev> <physical_device>
# To be called before the nodes get these, when all else is done. An interface has its
# name as dev, and no physical_device.
journal_publish() {
	journal_published=("$@")
	journal_write published "$@"
}

# journal_begin <resource> [argument...]
# To be called before the resource is touched.
journal_begin() {
	journal_add "$@"
	journal_write use "$@"
}

# journal_remember <key> <value> [key value]...
# What the resource that is being acquired will want to know at its release:
# to be called before the change that it tells of, where it can be.
journal_remember() {
	journal_note "$@"
	journal_write note "$@"
}

# journal_note <key> <value> [key value]...
journal_note() {
	while (($#)); do
		journal_notes["$journal_at $1"]=${2-}
		shift $(($# > 1 ? 2 : 1))
	done
}

# journal_recall <out-var> <key>
# What the current resource remembered, or empty.
journal_recall() {
	printf -v "$1" '%s' "${journal_notes["$journal_at $2"]-}"
}

# journal_add <resource> [argument...]
journal_add() {
	journal_at=${#journal_name[@]}
	journal_name+=("$1")
	journal_first+=("${#journal_values[@]}")
	journal_count+=($(($# - 1)))
	journal_values+=("${@:2}")
}

# journal_write <word> <field>...
journal_write() {
	[[ $journal_live ]] || return 0
	{ printf '%s\0' "$1" $(($# - 1)) "${@:2}" '' >>"$journal_file"; } 2>/dev/null && return 0
	fail "Cannot write $journal_file; see whether the file system is full or read-only."
}
