# SPDX-License-Identifier: LGPL-2.1-only
# The manual pages, which manual/page makes.

bats_require_minimum_version 1.5.0

setup_file() {
	make -s -C "$BATS_TEST_DIRNAME/../.." install DESTDIR="$BATS_FILE_TMPDIR"
}

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	manual=$BATS_FILE_TMPDIR/usr/share/man
	export LC_ALL=C
}

# rendered <file>
# The page's words without backspaces, and with one space between two of them.
rendered() {
	mandoc -T ascii -O width=1000 "$1" | sed 's/.\x08//g' | tr -s '[:space:]' ' '
}

# missing <page> <words>...
# Which of the words, or sentences, the page does not have.
missing() {
	local text words
	text=$(rendered "$manual/man${1##*.}/$1.gz")
	for words in "${@:2}"; do
		[[ " $text " == *" $words "* ]] || printf '%s: %s\n' "$1" "$words"
	done
}

# pages
# The names of the installed pages, sorted.
pages() {
	basename -a -s .gz "$manual"/man*/* | sort
}

# rows
# The rows of the help on standard input, each in one line with single spaces.
rows() {
	awk '
		/^  [^ ]/ { if (row != "") print row; row = $0; next }
		/^   / && row != "" { row = row " " $0; next }
		{ if (row != "") print row; row = "" }
		END { if (row != "") print row }
	' | tr -s ' ' | sed 's/^ //'
}

# scripts
# The device scripts that have a help.
scripts() {
	basename -a hotplug/Linux/{block,vif}* | grep -vx block-drbd-probe
}

@test "each page renders without a warning, and refers only to pages that exist" {
	local page names
	for page in "$manual"/man*/*; do
		mandoc -T lint -W warning "$page"
		[[ $(rendered "$page" | wc -w) -gt 50 ]]
		mapfile -t names < <(zcat "$page" | sed -n 's/^\.Xr \([^ ]*\) \([0-9]\).*/\1.\2/p' | sort)
		((${#names[@]} >= 2))
		[[ ! $(printf '%s\n' "${names[@]}" | comm -23 - <(pages)) ]]
	done
}

@test "an option in a page can be copied, because its dashes are escaped" {
	local page
	for page in "$manual"/man*/*; do
		[[ $(zcat "$page") != *--* ]]
	done
	[[ $(zcat "$manual/man8/xen-hotplug.8.gz") == *'\-\-json'* ]]
}

@test "the program, its configuration, each device script and the guide have a page" {
	diff -u <(printf '%s\n' xen-hotplug.8 hotplug.conf.5 xen-hotplug-script.7 "$(scripts | sed 's/$/.8/')" | sort) <(pages)
}

@test "man -k xen finds all pages" {
	cp -R "$manual" "$BATS_TEST_TMPDIR/man"
	makewhatis "$BATS_TEST_TMPDIR/man"
	diff -u <(pages | sed 's/\(.*\)[.]\(.\)$/\1(\2)/' | sort) \
		<(mapropos -M "$BATS_TEST_TMPDIR/man" xen | sed 's/ - .*//' | sort)
}

@test "the page of xen-hotplug has each subcommand and option of the help" {
	local lines options each subcommands
	mapfile -t subcommands < <(helpers/xen-hotplug --help | sed -n '/^  help /q;s/^  \([a-z]*\) .*/\1/p')
	((${#subcommands[@]} >= 6))
	mapfile -t lines < <(helpers/xen-hotplug help --all | rows)
	((${#lines[@]} > 30))
	for each in "${subcommands[@]}"; do
		lines+=("xen-hotplug $(helpers/xen-hotplug help "$each" | sed -n '1s/^Usage: xen-hotplug //p')")
		mapfile -t -O "${#lines[@]}" lines < <(helpers/xen-hotplug help "$each" | rows)
	done
	mapfile -t options < <(printf '%s\n' "${lines[@]}" | grep '^--')
	((${#options[@]} >= 6))
	run missing xen-hotplug.8 "${lines[@]}"
	[[ $status == 0 && ! $output ]]
}

@test "the page of each device script has each parameter of its help" {
	local script names lines count=0
	mapfile -t names < <(scripts)
	for script in "${names[@]}"; do
		mapfile -t lines < <("hotplug/Linux/$script" help | rows)
		((${#lines[@]} >= 1 && (count += ${#lines[@]})))
		run missing "$script.8" "${lines[@]}"
		[[ $status == 0 && ! $output ]]
	done
	((count > 30))
}

@test "the page of hotplug.conf has each of its settings" {
	local lines
	mapfile -t lines < <(sed -n 's/^#\([a-z_]* = \)/\1/p' hotplug/hotplug.conf)
	((${#lines[@]} >= 4))
	run missing hotplug.conf.5 "${lines[@]}"
	[[ $status == 0 && ! $output ]]
}

@test "text of a document is never a request of roff" {
	cat >"$BATS_TEST_TMPDIR/text" <<-'END'
		# T
		## A `b`
		.Sh one

		'quoted' \fBx | "y"

		- .It `.Xr \- ^~` *so*

		| a | b |
		|---|---|
		| Xr "q" | .El |

		```
		.Bd
		'x' \n
		```

		end. **B.** [l](x.md) [m](block-nbd.md#a)
	END
	awk -f manual/text.awk "$BATS_TEST_TMPDIR/text" |
		awk -f manual/mdoc.awk -v pages=manual/pages -v self=block.8 -v also=xen-hotplug.8 >"$BATS_TEST_TMPDIR/body"
	{
		printf '.Dd November 1, 2026\n.Dt T 8\n.Os\n.Sh NAME\n.Nm t\n.Nd t\n'
		cat "$BATS_TEST_TMPDIR/body"
	} >"$BATS_TEST_TMPDIR/page"
	mandoc -T lint -W warning "$BATS_TEST_TMPDIR/page"
	run rendered "$BATS_TEST_TMPDIR/page"
	[[ $output == *" A b .Sh one 'quoted' \\fBx | \"y\" o .It .Xr \\- ^~ so Xr \"q\" .El .Bd 'x' \\n end. B. l m (block-nbd(8)) SEE ALSO block-nbd(8), xen-hotplug(8) "* ]]
}

@test "a page is not made from a section that its document does not have" {
	run ! awk -f manual/text.awk -v section='No such section' README.md
	run ! manual/page block-drbd-probe.8
	[[ $output == *'manual/pages names no text of block-drbd-probe.8'* ]]
}
