/* SPDX-License-Identifier: LGPL-2.1-only */
/* Paths of the store: what is valid, what a relative one stands for, how one is taken apart. */
#include "path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Locale-free on purpose: the protocol allows ASCII only. */
static bool is_path_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '/' || c == '_' || c == '@';
}

/* `path` is not empty. */
static bool is_well_formed(const char *path, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!is_path_character(path[i]))
			return false;
		if (path[i] == '/' && path[i + 1] == '/')
			return false;
	}
	return length == 1 || path[length - 1] != '/';
}

void path_copy(char *out, const char *path)
{
	memcpy(out, path, strlen(path) + 1);
}

size_t path_home(char *out, unsigned int domid)
{
	int length = snprintf(out, PATH_ROOM, "/local/domain/%u", domid);

	return length > 0 ? (size_t)length : 0;
}

int path_resolve(char *out, const char *sent, unsigned int domid)
{
	size_t length = strlen(sent);
	size_t home;

	if (!length || !is_well_formed(sent, length))
		return EINVAL;
	if (sent[0] == '/') {
		if (length > XENSTORE_ABS_PATH_MAX)
			return EINVAL;
		memcpy(out, sent, length + 1);
		return 0;
	}
	/* A special name is not a node. */
	if (sent[0] == '@' || length > XENSTORE_REL_PATH_MAX)
		return EINVAL;
	home = path_home(out, domid);
	out[home] = '/';
	memcpy(out + home + 1, sent, length + 1);
	return 0;
}

bool path_next(const char **cursor, struct path_part *part)
{
	const char *name = *cursor;
	const char *end;

	while (*name == '/')
		name++;
	if (!*name)
		return false;
	end = strchrnul(name, '/');
	part->name = name;
	part->length = (size_t)(end - name);
	*cursor = end;
	return true;
}

bool path_to_parent(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || !path[1])
		return false;
	if (slash == path)
		slash++;
	*slash = '\0';
	return true;
}

bool path_is_within(const char *path, const char *ancestor)
{
	size_t length = strlen(ancestor);

	if (strcmp(ancestor, "/") == 0)
		return path[0] == '/';
	if (strncmp(path, ancestor, length) != 0)
		return false;
	return path[length] == '\0' || path[length] == '/';
}
