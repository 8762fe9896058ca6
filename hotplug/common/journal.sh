# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a device holds, on disk before it is acquired, so that whoever comes
# after a SIGKILL knows. One file a device; a record is its word, its number
# of fields, the fields and a full stop, each ended by NUL. A record that a
# kill cut short describes something that was not begun yet.

journal_name=()          # the resources, in the order in which they were acquired
journal_first=()         # where each one's arguments begin in journal_values
journal_count=()         # and how many they are
journal_values=()        # all arguments
declare -A journal_notes # "index key" -> what the resource remembered
journal_at=-1            # the resource that is being acquired, released or checked

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

# journal_leave <resource>
# For those who read this journal to know what others need: this does no longer.
# To be called by a release before it looks into theirs.
journal_leave() {
	[[ ! -f $journal_file ]] || printf '%s\0' note 2 leaving "$1" . 2>/dev/null >>"$journal_file" || :
}

# journal_recall <out-var> <key>
# What the current resource remembered, or empty.
journal_recall() {
	printf -v "$1" '%s' "${journal_notes["$journal_at $2"]-}"
}

# journal_others <key>
# Sets the caller's others to what other devices remembered under this key, the
# first one of a journal_remember.
journal_others() {
	local file fields at
	others=()
	for file in "${journal_file%/*}"/v*-*; do
		[[ $file != "$journal_file" ]] || continue
		mapfile -d '' -t fields 2>/dev/null <"$file" || continue
		for ((at = 0; at + 3 < ${#fields[@]}; at += 3 + fields[at + 1])); do
			[[ ${fields[at]}:${fields[at + 2]} != "note:$1" ]] || others+=("${fields[at + 3]}")
		done
	done
}

# journal_read
# Fills the arrays from the device's file. Fails where there is none.
journal_read() {
	[[ -f $journal_file ]] || return 1
	local fields=() at=0 count
	mapfile -d '' -t fields <"$journal_file"
	while [[ ${fields[at + 1]-} =~ ^[0-9]+$ ]]; do
		count=$((10#${fields[at + 1]}))
		[[ ${fields[at + 2 + count]-} == . ]] || break
		journal_replay "${fields[at]}" "${fields[@]:at+2:count}"
		at=$((at + 3 + count))
	done
}

# journal_replay use|note <field>...
journal_replay() {
	case $1 in
	use) journal_add "${@:2}" ;;
	note) journal_note "${@:2}" ;;
	esac
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
	printf '%s\0' "$1" $(($# - 1)) "${@:2}" . >>"$journal_file" ||
		fail "Cannot write $journal_file; see whether the file system is full or read-only."
}

# journal_clear
# Forgets what the arrays hold.
journal_clear() {
	journal_name=() journal_first=() journal_count=() journal_values=() journal_notes=()
	journal_at=-1
}
