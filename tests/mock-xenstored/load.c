/* SPDX-License-Identifier: LGPL-2.1-only */
/* Nodes to begin with: a file of lines, each a path and, after one space, a value. */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path.h"

/* Takes the line apart in place; `end` is where it ends. */
static bool load_line(struct store *store, char *line, const char *end)
{
	char *value = memchr(line, ' ', (size_t)(end - line));
	char path[PATH_ROOM];
	struct blob *blob;

	if (value) {
		*value++ = '\0';
		blob = blob_new(value, (size_t)(end - value));
	} else {
		blob = NULL;
	}
	if (*line != '/' || path_resolve(path, line, 0) != 0) {
		blob_unref(blob);
		return false;
	}
	tree_create(&store->tree, OWNER_INHERITED, path, ++store->generation);
	tree_set_value(&store->tree, path, blob, store->generation);
	blob_unref(blob);
	return true;
}

static enum load_result load_stream(struct store *store, const char *name, FILE *file)
{
	enum load_result result = LOAD_DONE;
	unsigned long number = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	while ((length = getline(&line, &room, file)) > 0) {
		number++;
		if (line[length - 1] == '\n')
			line[--length] = '\0';
		if (length == 0 || line[0] == '#')
			continue;
		if (load_line(store, line, line + length))
			continue;
		fprintf(stderr, "mock-xenstored: %s: line %lu: invalid path: %s\n", name, number,
			line);
		result = LOAD_INVALID;
		break;
	}
	if (ferror(file)) {
		fprintf(stderr, "mock-xenstored: %s: %s\n", name, strerror(errno));
		result = LOAD_UNREADABLE;
	}
	free(line);
	return result;
}

enum load_result load_nodes(struct store *store, const char *file)
{
	FILE *stream = fopen(file, "re");
	enum load_result result;

	if (!stream) {
		fprintf(stderr, "mock-xenstored: %s: %s\n", file, strerror(errno));
		return LOAD_UNREADABLE;
	}
	result = load_stream(store, file, stream);
	fclose(stream);
	return result;
}
