# SPDX-License-Identifier: LGPL-2.1-only
# Markdown from what --help prints: rows begin with two spaces, and two or more
# spaces end their first column; lines that are indented further go on.

/^Usage: / { print "```\n" substr($0, 8) "\n```"; next }
/^  [^ ]/ {
	end_row()
	if (!rows++)
		print "\n| | |\n|---|---|"
	words = substr($0, 3)
	at = match(words, /  +/)
	row = at ? "| `" substr(words, 1, at - 1) "` | " substr(words, at + RLENGTH) : "| `" words "` | "
	next
}
/^   / && row != "" { sub(/^ +/, " "); row = row $0; next }
{
	end_row()
	if (rows)
		print ""
	rows = 0
	print
}
END { end_row() }

function end_row() {
	if (row != "")
		print row " |"
	row = ""
}
