/* SPDX-License-Identifier: LGPL-2.1-only */
/* Parses the kernel's tables of mounts and swap spaces. */
#include "mounts.h"

#include <stddef.h>
#include <string.h>

#include "number.h"

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Decodes, in place, the kernel's \ooo (octal) for blanks, newlines and backslashes. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		bool escaped = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
			       is_octal(from[2]) && is_octal(from[3]);

		if (!escaped) {
			*to = *from++;
			continue;
		}
		*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
		from += 4;
	}
	*to = '\0';
}

/* Whether a comma-separated list contains the option `ro`. */
static bool has_ro(char *options)
{
	for (char *option; (option = strsep(&options, ","));)
		if (!strcmp(option, "ro"))
			return true;
	return false;
}

/* The number of fields between the sixth and the dash varies. */
bool mount_parse(char *line, struct mount *mount)
{
	char *fields[6];
	char *field, *rest = line;

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < 6; i++)
		if (!(fields[i] = strsep(&rest, " ")) || !rest)
			return false;
	while ((field = strsep(&rest, " ")) && strcmp(field, "-") != 0)
		;
	char *type = strsep(&rest, " ");
	char *source = strsep(&rest, " ");
	if (!type || !source || !rest || !parse_device(fields[2], &mount->device))
		return false;
	mount->where = fields[4];
	mount->source = source;
	mount->read_only = has_ro(rest);
	unescape(mount->where);
	unescape(mount->source);
	return true;
}

char *swap_parse(char *line)
{
	size_t length = strcspn(line, " \t\n");

	/* The heading does not begin with a slash. */
	if (line[0] != '/' || !line[length])
		return NULL;
	line[length] = '\0';
	unescape(line);
	return line;
}
