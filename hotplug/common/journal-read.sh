# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Reading journals: this device's, when it is released, and the other devices'.
# Most attaches read none.

# Set by journal_parse:
journal_records=() # where the whole records begin in journal_fields
journal_whole=0    # how many of journal_fields they have together

# Set by journal_others: the name of another device's journal (vbd-1-51712) -> the
# value that it remembered last under the key. A device whose value is empty is absent.
declare -gA journal_theirs

# Set by journal_select: what was given to `use`.
journal_resource=''
journal_arguments=()

journal_fields=() # what was read of a journal
journal_value=''  # set by journal_latest

# journal_read
# Fills the arrays from the device's file. Fails with reason set where it cannot
# be read.
journal_read() {
	local at
	if [[ ! -f $journal_file || -L $journal_file || ! -O $journal_file ]]; then
		reason="$journal_file is no file that root has written, so that what this device has is not known; see who made it, then remove it."
		return 1
	fi
	mapfile -d '' -t journal_fields <"$journal_file" || return
	journal_parse
	journal_known || return
	((journal_whole == ${#journal_fields[@]})) || journal_cut=1
	for at in "${journal_records[@]}"; do
		journal_replay "${journal_fields[at]}" "${journal_fields[@]:at+2:journal_fields[at + 1]}"
	done
}

# journal_known
# Fails with reason set where what was read has a format that came later.
journal_known() {
	((journal_whole)) && [[ ${journal_fields[0]} == format && ${journal_fields[2]} != "$journal_format" ]] || return 0
	reason="$journal_file has the format ${journal_fields[2]@Q}, which this version does not know; detach the device with the version that attached it."
	return 1
}

# journal_parse
# Finds the records of journal_fields.
journal_parse() {
	local count at=0
	journal_records=()
	# Checks for digits first: arithmetic would evaluate anything else.
	while count=${journal_fields[at + 1]-} && [[ $count == [1-9]?([0-9])?([0-9]) && ${journal_fields[at + 2 + count]-cut} == '' ]]; do
		journal_records+=("$at")
		at=$((at + 3 + count))
	done
	journal_whole=$at
}

# journal_replay use|note|attach|published <field>...
# Format 1 has a record leave, which took a note from others alone. attach and
# published came later than format 2; whoever does not know them may ignore them.
journal_replay() {
	case $1 in
	use) journal_add "${@:2}" ;;
	note) journal_note "${@:2}" ;;
	attach) journal_boot=${2-} ;;
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
	journal_boot_now
	[[ ! $journal_boot || $journal_boot == "$journal_now" ]] && return 0
	reason="$journal_file is of an earlier boot of this host."
	return 1
}

# journal_clear
# Forgets what the arrays hold.
journal_clear() {
	journal_name=() journal_first=() journal_count=() journal_values=() journal_notes=()
	journal_published=() journal_boot='' journal_cut='' journal_at=-1
}

# journal_mend
# Truncates the file to its whole records: behind a record that a kill cut short
# nothing could be read. Fails with reason set.
journal_mend() {
	local text
	mapfile -d '' -t journal_fields 2>/dev/null <"$journal_file" || return 1
	journal_parse
	((journal_whole < ${#journal_fields[@]})) || return 0
	printf -v text '%s.' "${journal_fields[@]:0:journal_whole}" ''
	run truncate --size $((${#text} - 1)) -- "$journal_file" || return
	journal_cut=''
}

# journal_others <key>
# Sets journal_theirs, without the journals of an earlier boot.
journal_others() {
	local IFS=' ' file
	journal_theirs=()
	journal_boot_now
	for file in "${journal_file%/*}"/v*-*; do
		[[ $file != "$journal_file" ]] || continue
		mapfile -d '' -t journal_fields 2>/dev/null <"$file" || continue
		# There may be a thousand, and most have no such key.
		[[ " ${journal_fields[*]} " == *" $1 "* ]] || continue
		# The second record; a journal of an older version has another one there.
		[[ ${journal_fields[4]-} != attach || ${journal_fields[6]-} == "$journal_now" ]] || continue
		journal_parse
		journal_latest "$1"
		[[ ! $journal_value ]] || journal_theirs[${file##*/}]=$journal_value
	done
}

# journal_latest <key>
# Sets journal_value to what was remembered last under this key, or to nothing.
journal_latest() {
	local at pair end
	journal_value=''
	for at in "${journal_records[@]}"; do
		[[ ${journal_fields[at]} != use ]] || continue
		for ((pair = at + 2, end = pair + journal_fields[at + 1]; pair + 1 < end; pair += 2)); do
			[[ ${journal_fields[pair]} != "$1" ]] || journal_value=${journal_fields[pair + 1]}
		done
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
	[[ -f $journal_file ]] || return 0
	[[ ! $journal_cut ]] || journal_mend || return 0
	{ printf '%s\0' note 2 "$1" '' '' >>"$journal_file"; } 2>/dev/null || :
}
