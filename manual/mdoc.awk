# SPDX-License-Identifier: LGPL-2.1-only
# The body of a manual page in mdoc(7), from the Markdown of this project's documents.
#
#   awk -v pages=manual/pages -v also='xen-hotplug.8 ...' -v self=block-nbd.8
#
# pages: a file that names the texts of each page; also: the pages of SEE ALSO, to
# which those of the text's links are added; self: this page.
# Markdown: headings (##, ###), paragraphs, fenced and indented code, tables, lists
# of one level, `code`, **bold**, [text](link).

BEGIN {
	read_pages()
	count = split(also, words, " ")
	for (i = 1; i <= count; i++)
		refer(words[i])
}

block == "fence" && /^```/ { close_block(); next }
block == "fence" { emit(literal($0)); next }
block == "indented" && /^$/ { close_block(); next }
/^```/ { open_block("fence", ".Bd -literal -offset indent"); next }
/^    / && (block == "" || block == "indented") {
	open_block("indented", ".Bd -literal -offset indent")
	emit(literal(substr($0, 5)))
	next
}
/^#+ / { heading(); next }
/^$/ { flush_text(); pending_close = block != ""; next }
/^[|]/ { flush_text(); table_row(); next }
/^- / { open_block("bullet", ".Bl -bullet"); item(substr($0, 3)); next }
/^[0-9]+[.] / { open_block("enum", ".Bl -enum"); sub(/^[0-9]+[.] /, ""); item($0); next }
{
	if (pending_close)
		close_block()
	text = text == "" ? $0 : text " " $0
}

END {
	flush_text()
	close_block()
	print_see_also()
}

# heading()
# ## is a section; ### one in it.
function heading(   level, title) {
	flush_text()
	close_block()
	level = index($0, " ") - 1
	title = substr($0, level + 2)
	if (level <= 2 && title !~ /`/)
		title = toupper(title)
	gsub(/`/, "", title)
	print (level <= 2 ? ".Sh " prose(title) : ".Ss " argument(prose(title)))
	started = 0
}

# open_block(kind, macro)
# Begins a list or display unless it is open.
function open_block(kind, macro) {
	flush_text()
	pending_close = 0
	if (block == kind)
		return
	close_block()
	print macro
	block = kind
}

function close_block() {
	if (block == "fence" || block == "indented")
		print ".Ed"
	else if (block != "")
		print ".El"
	if (block != "")
		started = 1
	block = ""
	pending_close = 0
}

# flush_text()
# Prints the paragraph that was collected.
function flush_text() {
	if (text == "")
		return
	if (started)
		print ".Pp"
	emit_sentences(inline(text))
	started = 1
	text = ""
}

function item(words) {
	print ".It"
	emit_sentences(inline(words))
}

# table_row()
# The first cell is the tag of a list; columns after the second have their heading.
function table_row(   cells, cell, i, n) {
	if (/^[|][-|]+$/)
		return
	if (pending_close)
		close_block()
	gsub(/\\[|]/, "\001")
	n = split(substr($0, 2), cells, /[|]/)
	if (block != "table") {
		for (i = 2; i < n; i++)
			title[i] = trim(cells[i])
		open_block("table", ".Bl -tag -width Ds")
		return
	}
	print ".It " argument(inline(trim(cells[1])))
	for (i = 2; i < n; i++) {
		cell = trim(cells[i])
		if (cell == "")
			continue
		if (i > 2)
			print ".Pp"
		emit_sentences((n > 3 && title[i] != "" ? "\\fI" inline(title[i]) "\\fR: " : "") inline(cell))
	}
}

function trim(words) {
	gsub(/^ +| +$/, "", words)
	gsub(/\001/, "|", words)
	return words
}

# emit(line)
# Prints a line of text; one that begins with . or ' would be a request.
function emit(line) {
	print (line ~ /^[.']/ ? "\\&" : "") line
}

# emit_sentences(words)
# Each sentence on a line of its own, which is how roff knows where one ends.
function emit_sentences(words) {
	while (match(words, /[.?!][)]?(\\fR)?[)]? /)) {
		emit(substr(words, 1, RSTART + RLENGTH - 2))
		words = substr(words, RSTART + RLENGTH)
	}
	emit(words)
}

# argument(words)
# One argument of a macro, which is no macro itself.
function argument(words) {
	gsub(/"/, "\\(dq", words)
	return "\"\\&" words "\""
}

function inline(words,   done, at, size) {
	while (match(words, /`[^`]+`|[*][*][^*]+[*][*]|[*][a-z]+[*]|\[[^]]*\]\([^)]*\)/)) {
		at = RSTART
		size = RLENGTH
		done = done prose(substr(words, 1, at - 1)) span(substr(words, at, size))
		words = substr(words, at + size)
	}
	return done prose(words)
}

function span(words,   middle) {
	if (words ~ /^`/)
		return "\\fB" literal(substr(words, 2, length(words) - 2)) "\\fR"
	if (words ~ /^[*]/) {
		middle = words ~ /^[*][*]/ ? "\\fB" : "\\fI"
		gsub(/[`*]/, "", words)
		return middle prose(words) "\\fR"
	}
	middle = index(words, "](")
	return link(substr(words, 2, middle - 2), substr(words, middle + 2, length(words) - middle - 2))
}

# read_pages()
# Sets page_of, the page that has the text of FILE or FILE#ANCHOR.
function read_pages(   line, page, target) {
	while ((getline line < pages) > 0) {
		page = line
		target = line
		sub(/ .*/, "", page)
		sub(/^[^ ]* (.*[/])?/, "", target)
		if (target ~ /#/)
			target = substr(target, 1, index(target, "#")) anchor(substr(target, index(target, "#") + 1))
		remember(target, page)
		sub(/#.*/, "", target)
		remember(target, page)
	}
}

function remember(target, page) {
	if (!(target in page_of))
		page_of[target] = page
}

# anchor(title)
# What GitHub makes of a heading.
function anchor(title) {
	title = tolower(title)
	gsub(/[^a-z0-9 -]/, "", title)
	gsub(/ /, "-", title)
	return title
}

# link(words, target)
# A document that a page has the text of becomes a reference to that page.
function link(words, target,   page) {
	if (target ~ /^https?:/)
		return inline(words) (words ~ /\)$/ ? "" : " <" literal(target) ">")
	sub(/.*\//, "", target)
	if (!(target in page_of))
		sub(/#.*/, "", target)
	page = target in page_of ? page_of[target] : ""
	if (page == "" || page == self)
		return inline(words)
	refer(page)
	page = "\\fB" literal(name_of(page)) "\\fR(" section_of(page) ")"
	sub(/[.]md$/, "", words)
	gsub(/`/, "", words)
	return words == name_of(page_of[target]) ? page : inline(words) " (" page ")"
}

# prose(words)
# Text that people read; its options and names can be copied, too.
function prose(words) {
	words = plain(words)
	gsub(/--/, "\\-\\-", words)
	gsub(/xen-hotplug/, "xen\\-hotplug", words)
	return words
}

function plain(words) {
	gsub(/\\/, "\\e", words)
	gsub(/…/, "\\[u2026]", words)
	gsub(/·/, "\\[u00B7]", words)
	return words
}

# literal(words)
# Text that people type: ASCII's own characters.
function literal(words) {
	words = plain(words)
	gsub(/-/, "\\-", words)
	gsub(/'/, "\\(aq", words)
	gsub(/`/, "\\(ga", words)
	gsub(/\^/, "\\(ha", words)
	gsub(/~/, "\\(ti", words)
	return words
}

function name_of(page) {
	sub(/[.][0-9]$/, "", page)
	return page
}

function section_of(page) {
	return substr(page, length(page))
}

# refer(page)
# Adds a page to SEE ALSO.
function refer(page) {
	if (page != self && !(page in referred)) {
		referred[page]
		references[++reference_count] = page
	}
}

# By section, then by name.
function print_see_also(   i, j, page) {
	for (i = 2; i <= reference_count; i++) {
		page = references[i]
		for (j = i - 1; j && precedes(page, references[j]); j--)
			references[j + 1] = references[j]
		references[j + 1] = page
	}
	print ".Sh SEE ALSO"
	for (i = 1; i <= reference_count; i++)
		print ".Xr " name_of(references[i]) " " section_of(references[i]) (i < reference_count ? " ," : "")
}

function precedes(page, other) {
	return section_of(page) name_of(page) < section_of(other) name_of(other)
}
