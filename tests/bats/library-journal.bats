# SPDX-License-Identifier: LGPL-2.1-only
# shellcheck disable=SC2016 # code for the inner shell, which expands it
# The journal: what was written is read, and what a kill cut short is not.

load ../lib/library

# Prints what the journal's arrays hold, quoted.
show='
	show() {
		local i
		for ((i = 0; i < ${#journal_name[@]}; i++)); do
			printf "%s" "${journal_name[i]}"
			((${journal_count[i]} == 0)) || printf " %q" "${journal_values[@]:journal_first[i]:journal_count[i]}"
			journal_at=$i
			journal_recall note key
			printf " note=%q\n" "$note"
		done
	}
'

# Three resources, with values that a reader could stumble over.
write='
	journal_live=1
	journal_begin one
	journal_begin two "" . 3 "a b" $'\''\n'\'' '\''$(id)'\'' "*" $'\''\xff\xfe'\'' use -n "%s"
	journal_remember key $'\''v\n.'\''
	journal_begin three "$(printf "%04000d" 0)"
	journal_remember key 1
	journal_remember key 2
'

@test "what was journalled is read again as it was" {
	run library "$show$write"'before=$(show); journal_clear; [[ ! $(show) ]]; journal_read; [[ $(show) == "$before" ]]; show'
	[[ "$status" -eq 0 ]]
	[[ "${#lines[@]}" -eq 3 ]]
	[[ "${lines[0]}" == "one note=''" ]]
	[[ "${lines[2]}" == *'note=2' ]]
}

@test "a journal that was cut at any byte gives a beginning of what was journalled" {
	run library "$show"'
		journal_live=1
		journal_begin one a
		journal_remember key 1
		journal_begin two "b c" $'\''\n'\''
		whole=$(show)
		mv "$journal_file" "$journal_file.whole"
		size=$(stat -c %s "$journal_file.whole")
		for ((bytes = 0; bytes <= size; bytes++)); do
			head -c "$bytes" "$journal_file.whole" >"$journal_file"
			journal_clear
			journal_read
			part=$(show)
			# The note of the last one may be missing.
			[[ $whole == "${part% note=*}"* ]] || echo "cut at $bytes: $part"
		done
		[[ $part == "$whole" ]]
		echo "$size"
	'
	echo "$output"
	[[ "$status" -eq 0 ]]
	[[ "$output" -gt 40 ]]
}

@test "garbage in place of a journal is read as nothing, or as its beginning, and not evaluated" {
	local garbage
	for garbage in '' '\0' 'a' '.\0' 'use\0' 'use\0x\0' 'use\0-1\0a\0.\0' 'use\00\0.\0' '\377\376' \
		'use\0a[$(touch '"$BATS_TEST_TMPDIR"'/pwned)]\0b\0.\0' 'use\099999999999999999999\0.\0' 'use\01\0one\0' \
		'use\01\0one\0x' 'use\008\0one\0.\0' 'note\02\0key\0v\0.\0' 'note\00\0.\0' 'note\01\0$(id)\0.\0' 'x\01\0y\0.\0'; do
		# shellcheck disable=SC2059 # the garbage is a format
		printf "$garbage" >"$BATS_TEST_TMPDIR/journal"
		run library "$show"'journal_read; show'
		echo "$garbage: $output"
		[[ "$status" -eq 0 ]]
		[[ "${#lines[@]}" -le 1 ]]
	done
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

@test "a journal that does not exist is no journal" {
	run library 'journal_read'
	[[ "$status" -ne 0 ]]
}

@test "nothing is written before the journal is live" {
	library 'journal_begin one; journal_remember key value'
	[[ ! -e "$BATS_TEST_TMPDIR/journal" ]]
}
