# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Reading journals: this device's, when it is released, and the other devices'.
# The helper parses them. Most attaches read none.

# Set by journal_others: the name of another device's journal (vbd-1-51712) -> the
# value that it remembered last under the key. A device whose value is empty is absent.
declare -gA journal_theirs

# Set by journal_select: what was given to `use`.
journal_resource=''
journal_arguments=()

# journal_read
# Fills the arrays from the device's file. Fails with reason set where it cannot
# be read.
journal_read() {
	local at
	journal_clear
	helper journal "$journal_file" || return
	journal_age=${run_reply[0]}
	for ((at = 1; at < ${#run_reply[@]}; at += 2 + run_reply[at + 1])); do
		journal_replay "${run_reply[at]}" "${run_reply[@]:at+2:run_reply[at + 1]}"
	done
}

# journal_replay use|note|published|... <field>...
# Whoever does not know a word may ignore it. Format 1 has a record leave, which
# took a note from others alone.
journal_replay() {
	case $1 in
	use) journal_add "${@:2}" ;;
	note) journal_note "${@:2}" ;;
	published) journal_published=("${@:2}") ;;
	esac
}

# journal_select <index>
# Makes it the current resource, and sets journal_resource and journal_arguments.
journal_select() {
	journal_at=$1
	journal_resource=${journal_name[$1]}
	journal_arguments=("${journal_values[@]:journal_first[$1]:journal_count[$1]}")
}

# journal_current
# Was it written since this host has booted? An earlier one, in a /run that was
# kept, names what may be others' now. Fails with reason set.
journal_current() {
	[[ $journal_age != old ]] && return 0
	reason="$journal_file is of an earlier boot of this host."
	return 1
}

# journal_clear
# Forgets what the arrays hold.
journal_clear() {
	journal_name=() journal_first=() journal_count=() journal_values=() journal_notes=()
	journal_published=() journal_at=-1
}

# journal_others <key>
# Sets journal_theirs, without the journals of an earlier boot.
journal_others() {
	local at
	journal_theirs=()
	helper journal --others "$1" "$journal_file" || fail "$reason"
	for ((at = 0; at < ${#run_reply[@]}; at += 2)); do
		journal_theirs[${run_reply[at]}]=${run_reply[at + 1]}
	done
}

# journal_shared <key> <value>
# Does another device remember just this?
journal_shared() {
	local value
	journal_others "$1"
	for value in "${journal_theirs[@]}"; do
		[[ $value != "$2" ]] || return 0
	done
	return 1
}

# journal_drop <key>
# Others see no more what is remembered under this key. To be called by a release
# that has undone it, under the lock under which others read it. One that cannot
# be written ends no release.
journal_drop() {
	helper journal --drop "$1" "$journal_file" || :
}
