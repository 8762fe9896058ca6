/* SPDX-License-Identifier: LGPL-2.1-only */
/* Paths of the store: what is valid, what a relative one stands for, how one is taken apart. */
#ifndef MOCK_PATH_H
#define MOCK_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

/* Room for every absolute path, a resolved relative one included, and its NUL. */
#define PATH_ROOM (XENSTORE_ABS_PATH_MAX + 32)

/* One component of a path; it is not terminated. */
struct path_part {
	const char *name;
	size_t length;
};

/* Copies a path that has been found valid into `out` (at least PATH_ROOM bytes). */
void path_copy(char *out, const char *path);

/* Writes the home of domain `domid` into `out` (at least PATH_ROOM bytes); returns its length. */
size_t path_home(char *out, unsigned int domid);

/*
 * Makes the path that domain `domid` sent absolute, in `out` (at least PATH_ROOM bytes).
 * Returns 0, or EINVAL when the path breaks the protocol's rules.
 */
int path_resolve(char *out, const char *sent, unsigned int domid);

/*
 * Steps through the components of a valid absolute path. `*cursor` begins as the path itself.
 * Returns false when there are no more.
 */
bool path_next(const char **cursor, struct path_part *part);

/* Cuts the last component off the valid absolute `path`; false when it is the root. */
bool path_to_parent(char *path);

/* Is `path` the same as `ancestor`, or below it? Both valid and absolute (or both special). */
bool path_is_within(const char *path, const char *ancestor);

#endif
