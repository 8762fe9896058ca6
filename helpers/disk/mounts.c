/* SPDX-License-Identifier: LGPL-2.1-only */
/* Parses the kernel's tables of mounts and swap spaces. */
#include "mounts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "number.h"
#include "textfile.h"

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void mount_unescape(char *text)
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
static bool has_ro(const char *options)
{
	for (; *options; options += strcspn(options, ","), options += *options == ',')
		if (strcspn(options, ",") == 2 && !strncmp(options, "ro", 2))
			return true;
	return false;
}

/* The number of fields between the sixth and the dash varies. */
bool mount_parse(char *line, struct mount *mount)
{
	enum { ID, PARENT, DEVICE, ROOT, WHERE, FLAGS, FIELDS };
	char *fields[FIELDS];
	char *field, *rest = line;

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < FIELDS; i++)
		if (!(fields[i] = strsep(&rest, " ")) || !rest)
			return false;
	while ((field = strsep(&rest, " ")) && strcmp(field, "-") != 0)
		;
	*mount = (struct mount){.root = fields[ROOT], .where = fields[WHERE]};
	mount->type = strsep(&rest, " ");
	mount->source = strsep(&rest, " ");
	if (!mount->type || !mount->source || !rest ||
		!parse_unsigned(fields[ID], UINT_MAX, &mount->id) ||
		!parse_device(fields[DEVICE], &mount->device))
		return false;
	mount->options = rest;
	mount->read_only = has_ro(rest);
	mount_unescape(mount->root);
	mount_unescape(mount->where);
	mount_unescape(mount->source);
	return true;
}

/* A line that cannot be parsed is skipped. Result: false if memory ran out. */
static bool add_mount(struct mount_table *table, char *line)
{
	struct mount *mounts =
		array_room(table->mounts, table->count, &table->room, sizeof(*mounts));

	if (!mounts)
		return false;
	table->mounts = mounts;
	table->count += mount_parse(line, &mounts[table->count]);
	return true;
}

bool mount_table_read(struct mount_table *table)
{
	return mount_table_read_from(table, "/proc/self/mountinfo");
}

bool mount_table_read_from(struct mount_table *table, const char *path)
{
	bool done = true;

	if (table->text)
		return true;
	table->text = textfile_whole(path);
	for (char *line, *rest = table->text; done && (line = strsep(&rest, "\n"));)
		done = add_mount(table, line);
	if (!done)
		mount_table_free(table);
	return table->text;
}

void mount_table_free(struct mount_table *table)
{
	free(table->mounts);
	free(table->text);
	*table = (struct mount_table){.text = NULL};
}

const struct mount *mount_with_id(const struct mount_table *table, unsigned id)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->mounts[i].id == id)
			return &table->mounts[i];
	return NULL;
}

bool path_is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	/* The root directory ends in the slash that the other ones lack. */
	if (length && directory[length - 1] == '/')
		length--;
	return !strncmp(path, directory, length) && (!path[length] || path[length] == '/');
}

bool mount_inside(const struct mount *mount, const char *path, char inside[PATH_MAX])
{
	if (!path_is_below(path, mount->where))
		return false;
	size_t skipped = strcmp(mount->where, "/") != 0 ? strlen(mount->where) : 0;
	const char *root = strcmp(mount->root, "/") != 0 ? mount->root : "";
	int length = snprintf(inside, PATH_MAX, "%s%s", root, path + skipped);

	return length >= 0 && length < PATH_MAX;
}

const struct mount *mount_of_path(const struct mount_table *table, const char *path)
{
	const struct mount *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < table->count && path[0] == '/'; i++) {
		const struct mount *mount = &table->mounts[i];
		size_t length = strlen(mount->where);

		if (length < longest || !path_is_below(path, mount->where))
			continue;
		found = mount;
		longest = length;
	}
	return found;
}

char *swap_parse(char *line)
{
	size_t length = strcspn(line, " \t\n");

	/* The heading does not begin with a slash. */
	if (line[0] != '/' || !line[length])
		return NULL;
	line[length] = '\0';
	mount_unescape(line);
	return line;
}
