# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What several devices hold together: the first one makes it, the last one
# takes it away. Who holds it is in the journals.

# shared_with_others <key> <value>
# Has another device's journal remembered this, and nothing else since?
shared_with_others() {
	local file fields at last
	for file in "${journal_file%/*}"/"$type"-*; do
		[[ $file != "$journal_file" ]] || continue
		mapfile -d '' -t fields 2>/dev/null <"$file" || continue
		last=''
		for ((at = 0; at + 4 < ${#fields[@]}; at++)); do
			[[ "${fields[at]} ${fields[at + 1]} ${fields[at + 4]}" != 'note 2 .' || ${fields[at + 2]} != "$1" ]] || last=${fields[at + 3]}
		done
		[[ $last != "$2" ]] || return 0
	done
	return 1
}
