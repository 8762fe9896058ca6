/* SPDX-License-Identifier: LGPL-2.1-only */
/* A set of strings. */
#ifndef MOCK_STRSET_H
#define MOCK_STRSET_H

#include <stddef.h>

/* Starts as all zeroes. To list the members, walk `slots` and pass over those that are NULL. */
struct strset {
	char **slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t used;
};

/* Adds a copy of `text`, unless it is in the set already. */
void strset_add(struct strset *set, const char *text);

/* Frees the members; the set is empty and usable afterwards. */
void strset_free(struct strset *set);

#endif
