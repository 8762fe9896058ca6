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
	journal_begin two "" . 3 "" note 2 key no "" "a b" $'\''\n'\'' '\''$(id)'\'' "*" $'\''\xff\xfe'\'' use -n "%s"
	journal_remember key $'\''v\n.'\''
	journal_begin three "$(printf "%04000d" 0)"
	journal_remember key 1
	journal_remember key 2
'

@test "a journal is read back unchanged" {
	run library "$show$write"'before=$(show); journal_clear; [[ ! $(show) ]]; journal_read; [[ $(show) == "$before" ]]; show'
	[[ "$status" -eq 0 ]]
	[[ "${#lines[@]}" -eq 3 ]]
	[[ "${lines[0]}" == "one note=''" ]]
	[[ "${lines[2]}" == *'note=2' ]]
}

@test "a journal truncated at any byte gives a prefix of its records" {
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

@test "a garbage journal is read as nothing or as a prefix, and is never evaluated" {
	local garbage
	for garbage in '' '\0' 'a' '\0\0\0' 'use\0' 'use\0x\0' 'use\0-1\0a\0\0' 'use\00\0\0' '\377\376' \
		'use\0a[$(touch '"$BATS_TEST_TMPDIR"'/pwned)]\0b\0\0' 'use\099999999999999999999\0\0' 'use\01\0one\0' \
		'use\01\0one\0x' 'use\008\0one\0\0' 'note\02\0key\0v\0\0' 'note\01\0key\0\0' 'note\01\0$(id)\0\0' 'x\01\0y\0\0'; do
		# shellcheck disable=SC2059 # the garbage is a format
		printf "$garbage" >"$BATS_TEST_TMPDIR/journal"
		cp "$BATS_TEST_TMPDIR/journal" "$BATS_TEST_TMPDIR/vbd-9-9"
		run library "$show"'journal_read; show; journal_others key; [[ ${journal_theirs[*]} == @(|v) ]]'
		echo "$garbage: $output"
		[[ "$status" -eq 0 ]]
		[[ "${#lines[@]}" -le 1 ]]
	done
	[[ ! -e "$BATS_TEST_TMPDIR/pwned" ]]
}

@test "a missing journal, a symbolic link, a directory and a pipe are no journals" {
	local make
	for make in : 'ln -s vbd-1-0 "$journal_file"; printf "use\0001\0one\0\0" >"$BATS_TEST_TMPDIR/vbd-1-0"' 'mkdir "$journal_file"' 'mkfifo "$journal_file"'; do
		rm -rf "$BATS_TEST_TMPDIR/journal"
		run library "$make"'; journal_read || echo "$reason ${journal_name[*]-}"; journal_drop key; journal_file=$BATS_TEST_TMPDIR/vbd-2-0; journal_others key; echo "${!journal_theirs[*]}"'
		echo "$make: $output"
		[[ "$status" -eq 0 && "$output" == @(*'There is no journal '*|"$BATS_TEST_TMPDIR/journal is no file that root has written"*)' ' ]]
	done
}

@test "nothing is written before the journal is live" {
	library 'journal_begin one; journal_remember key value'
	[[ ! -e "$BATS_TEST_TMPDIR/journal" ]]
}

# others <key> [shell code]
# Prints what other devices remember under the key, a line each; before it is
# asked, as_device NAME [shell code] in the code is another device, with a
# journal of its own.
others() {
	library '
		as_device() {
			local journal_file=$BATS_TEST_TMPDIR/$1
			journal_clear
			eval "${2-}"
		}
		show_others() {
			local name
			journal_theirs=([stale]=1)
			journal_others "$1"
			for name in "${!journal_theirs[@]}"; do
				printf "%s %q\n" "$name" "${journal_theirs[$name]}"
			done | sort
		}
		journal_live=1 journal_file=$BATS_TEST_TMPDIR/vbd-7-0
		eval "$2"
		show_others "$1"
	' "$1" "${2-}"
}

@test "others has the last value that each other device remembered for the key" {
	run others key '
		as_device vbd-1-51712 "journal_begin a; journal_remember key 1 other 2; journal_remember key 3"
		as_device vif-12-0-emu "journal_begin a; journal_remember first 1 key 4 third 3; journal_begin b; journal_remember other 5"
		as_device vbd3-2-0 "journal_begin a; journal_remember other key"
		as_device vif-3-0 "journal_begin a; journal_begin b; journal_remember key 5"
		journal_begin a
		journal_remember key mine
		as_device nbd-4-0 "journal_begin a; journal_remember key none"
	'
	((status == 0))
	[[ "$output" == $'vbd-1-51712 3\nvif-12-0-emu 4\nvif-3-0 5' ]]
}

@test "others skips devices whose value is dropped or empty" {
	run others key '
		as_device vbd-1-0 "journal_begin a; journal_remember key 1; journal_remember key \"\""
		as_device vbd-2-0 "journal_begin a; journal_remember key 1; journal_drop key"
		as_device vbd-3-0 "journal_begin a; journal_remember key 1; journal_drop other"
		as_device vbd-4-0 "journal_begin a; journal_remember key 1; journal_drop key; journal_remember key 2"
		as_device vbd-5-0 "journal_begin a"
		as_device vbd-6-0 ": >\$journal_file"
	'
	((status == 0))
	[[ "$output" == $'vbd-3-0 1\nvbd-4-0 2' ]]
}

@test "others is empty if there is no other device" {
	run others key 'journal_begin a; journal_remember key mine'
	((status == 0))
	[[ ! "$output" ]]
}

@test "others does not take an argument of a resource for a remembered value" {
	run others key '
		as_device vbd-1-0 "journal_begin a note 2 key no \"\"; journal_begin key no; journal_begin note key no"
		as_device vbd-2-0 "journal_begin a \"\" note 2 key no \"\" leave 2 key \"\" \"\"; journal_remember key yes; journal_begin a leave 2 key \"\" \"\""
	'
	((status == 0))
	[[ "$output" == 'vbd-2-0 yes' ]]
}

@test "others returns values with any bytes unchanged" {
	local value
	for value in . note 'note 2 key no ' $'a\nb' $'\n' $'\n.\n' ' ' '  a  b ' key leave use 2 '*' '$(id)' 'a[$(id)]' -n '%s' \
		$'\xff\xfe' "it's" "$(printf '%05000d' 0)"; do
		library '
			journal_live=1 as_it_was=$1
			journal_file=$BATS_TEST_TMPDIR/vbd-1-0
			journal_begin a
			journal_remember first . key "$as_it_was" last note
			journal_file=$BATS_TEST_TMPDIR/journal
			journal_others key
			[[ ${journal_theirs[vbd-1-0]} == "$as_it_was" ]]
		' "$value"
		rm "$BATS_TEST_TMPDIR/vbd-1-0"
	done
}

@test "others ignores a record truncated at any byte" {
	run library '
		journal_live=1
		journal_file=$BATS_TEST_TMPDIR/vbd-1-0
		journal_begin a
		journal_remember key 1
		before=$(stat -c %s "$journal_file")
		journal_remember other "" key "2 and more"
		mv "$journal_file" "$BATS_TEST_TMPDIR/whole"
		size=$(stat -c %s "$BATS_TEST_TMPDIR/whole")
		for ((bytes = 0; bytes <= size; bytes++)); do
			head -c "$bytes" "$BATS_TEST_TMPDIR/whole" >"$BATS_TEST_TMPDIR/vbd-1-0"
			journal_file=$BATS_TEST_TMPDIR/journal
			journal_others key
			expected=
			((bytes < before)) || expected=1
			((bytes < size)) || expected="2 and more"
			[[ ${journal_theirs[vbd-1-0]-} == "$expected" ]] || echo "cut at $bytes: ${journal_theirs[*]}"
		done
		echo "$bytes bytes"
	'
	echo "$output"
	[[ "$status" -eq 0 && "$output" == *' bytes' && "${#lines[@]}" -eq 1 ]]
}

@test "a device drops only the given keys, wherever a kill has truncated its last record" {
	run library '
		journal_live=1
		journal_begin a "b c"
		journal_remember key 1 else "x  y"
		before=$(stat -c %s "$journal_file")
		journal_begin b "" 2 key
		journal_remember "" "" key ""
		mv "$journal_file" "$BATS_TEST_TMPDIR/whole"
		size=$(stat -c %s "$BATS_TEST_TMPDIR/whole")
		for ((bytes = before; bytes <= size; bytes++)); do
			head -c "$bytes" "$BATS_TEST_TMPDIR/whole" >"$journal_file"
			journal_clear
			journal_read
			journal_drop key
			journal_drop else
			journal_file=$BATS_TEST_TMPDIR/vbd-9-9
			mv "$BATS_TEST_TMPDIR/journal" "$BATS_TEST_TMPDIR/vbd-1-0"
			for key in key else; do
				journal_others "$key"
				((${#journal_theirs[@]} == 0)) || echo "cut at $bytes: $key is ${journal_theirs[*]}"
			done
			journal_file=$BATS_TEST_TMPDIR/vbd-1-0
			journal_clear
			journal_read
			[[ ${journal_name[0]} == a ]] || echo "cut at $bytes: ${journal_name[*]}"
			journal_file=$BATS_TEST_TMPDIR/journal
		done
		echo "$bytes bytes"
	'
	echo "$output"
	[[ "$status" -eq 0 && "$output" == *' bytes' && "${#lines[@]}" -eq 1 ]]
}

@test "a drop succeeds without a journal and with an unwritable one" {
	library 'journal_drop key'
	[[ ! -e "$BATS_TEST_TMPDIR/journal" ]]
	library 'journal_live=1; journal_begin a; trap "" XFSZ; ulimit -f 0; printf x 2>/dev/null >>"$journal_file" && exit 1; journal_drop key'
}

@test "a value is shared if another device remembers the same value" {
	run library '
		journal_live=1
		remember() { local journal_file=$BATS_TEST_TMPDIR/$1; journal_remember "${@:2}"; }
		remember vbd-1-0 key "a b"
		remember vbd-2-0 key ab
		remember vbd-3-0 key left
		remember vbd-3-0 key ""
		remember journal key mine
		for value in "a b" ab a left mine "" "a*"; do
			! journal_shared key "$value" || echo "$value"
		done
	'
	[[ "$status" -eq 0 && "$output" == $'a b\nab' ]]
}
