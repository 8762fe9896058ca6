# SPDX-License-Identifier: LGPL-2.1-only
# The rules that lines can tell, clang-format having laid out the C: what
# begins a declaration is in the first column, and so are a function's braces.

function finding(rule, line, sentence) {
	printf "%s:%d: %s: %s\n", FILENAME, line, rule, sentence
}

FNR == 1 {
	header = FILENAME ~ /\.h$/
	c = header || FILENAME ~ /\.c$/
	seen[FILENAME]
	above = ""
}

FNR <= 3 && /SPDX-License-Identifier: LGPL-2\.1-only/ {
	licensed[FILENAME]
}

!c && /# shellcheck disable=[A-Z0-9,]*$/ {
	finding("disable", FNR, "Say why the check is wrong here, behind a second #.")
}

header && /^[a-z_].*\(/ && above !~ /\*\/$/ {
	finding("documented", FNR, "This declaration has no comment directly above it.")
}

c && /^\{/ {
	opened = FNR
}

c && /^\}/ && opened {
	if (FNR - opened - 1 > 40)
		finding("length", opened, "This function has " FNR - opened - 1 " lines; more than 40 are several functions.")
	opened = 0
}

{
	above = $0
}

END {
	for (FILENAME in seen)
		if (!(FILENAME in licensed))
			finding("spdx", 1, "The first three lines have no SPDX-License-Identifier: LGPL-2.1-only.")
}
