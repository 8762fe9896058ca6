# SPDX-License-Identifier: LGPL-2.1-only
# A part of a document in Markdown.
#
#   awk -v section='The environment of a hook'    this section, as one of level 2
#   awk -v demote=1                               all, one level lower
#   awk -v part=intro|rest                        before, or from, the first section
#
# Exit status 1 if there is no such section.

/^```/ { fenced = !fenced }
!fenced && /^#+ / {
	level = index($0, " ") - 1
	title = substr($0, level + 2)
	if (inside && level <= top)
		exit
	if (section != "" && title == section) {
		inside = 1
		top = level
		demote = 2 - level
	}
	if (level == 2 && part == "intro")
		exit
	if (level == 2)
		rest = 1
	$0 = substr("####", 1, level + demote) " " title
	if (level + demote == 1)
		next
}
section != "" && !inside { next }
part == "rest" && !rest { next }
{ print }
END { exit section != "" && !inside }
