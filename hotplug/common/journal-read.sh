# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Reading journals: this device's, when it is released, and the other devices'.
# Most attaches read none.

# journal_read
# Fills the arrays from the device's file. Fails with reason set where it cannot
# be read.
journal_read() {
	local at fields records whole
	if [[ ! -f $journal_file || -L $journal_file || ! -O $journal_file ]]; then
		reason="$journal_file is no file that root has written, so that what this device has is not known; see who made it, then remove it."
		return 1
	fi
	mapfile -d '' -t fields <"$journal_file" || return
	journal_parse
	journal_known || return
	((whole == ${#fields[@]})) || journal_cut=1
	for at in "${records[@]}"; do
		journal_replay "${fields[at]}" "${fields[@]:at+2:fields[at + 1]}"
	done
}

# journal_known
# Fails with reason set where the caller's whole fields are of a format that came later.
journal_known() {
	((whole)) && [[ ${fields[0]} == format && ${fields[2]} != "$journal_format" ]] || return 0
	reason="$journal_file has the format ${fields[2]@Q}, which this version does not know; detach the device with the version that attached it."
	return 1
}

# journal_parse
# Sets the caller's records to where in its fields the whole records begin, and
# whole to how many of the fields these are.
journal_parse() {
	local count
	records=() whole=0
	# Of what is no number, arithmetic could make code.
	while count=${fields[whole + 1]-} && [[ $count == [1-9]?([0-9])?([0-9]) && ${fields[whole + 2 + count]-cut} == '' ]]; do
		records+=("$whole")
		whole=$((whole + 3 + count))
	done
}

# journal_replay use|note <field>...
# Format 1 has a record leave, which took a note from others alone.
journal_replay() {
	case $1 in
	use) journal_add "${@:2}" ;;
	note) journal_note "${@:2}" ;;
	esac
}

# journal_clear
# Forgets what the arrays hold.
journal_clear() {
	journal_name=() journal_first=() journal_count=() journal_values=() journal_notes=()
	journal_cut='' journal_at=-1
}

# journal_mend
# Takes away what a kill has left of a record, behind which nothing could be
# read. Fails with reason set.
journal_mend() {
	local fields records whole text
	mapfile -d '' -t fields 2>/dev/null <"$journal_file" || return 1
	journal_parse
	((whole < ${#fields[@]})) || return 0
	printf -v text '%s.' "${fields[@]:0:whole}" ''
	run truncate --size $((${#text} - 1)) -- "$journal_file" || return
	journal_cut=''
}

# journal_others <key>
# Sets the caller's associative array others to what each other device has
# remembered last under this key: the name of its journal (vbd-1-51712) -> the
# value. Where that is empty the device is not there.
journal_others() {
	local IFS=' ' file value fields records whole
	others=()
	for file in "${journal_file%/*}"/v*-*; do
		[[ $file != "$journal_file" ]] || continue
		mapfile -d '' -t fields 2>/dev/null <"$file" || continue
		# There may be a thousand, and most have no such key.
		[[ " ${fields[*]} " == *" $1 "* ]] || continue
		journal_parse
		journal_latest "$1"
		[[ ! $value ]] || others[${file##*/}]=$value
	done
}

# journal_latest <key>
# Sets the caller's value to what its records remember last under this key, or to nothing.
journal_latest() {
	local at pair end
	value=''
	for at in "${records[@]}"; do
		[[ ${fields[at]} != use ]] || continue
		for ((pair = at + 2, end = pair + fields[at + 1]; pair + 1 < end; pair += 2)); do
			[[ ${fields[pair]} != "$1" ]] || value=${fields[pair + 1]}
		done
	done
}

# journal_shared <key> <value>
# Does another device remember just this?
journal_shared() {
	local value
	local -A others
	journal_others "$1"
	for value in "${others[@]}"; do
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
