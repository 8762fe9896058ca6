/* SPDX-License-Identifier: LGPL-2.1-only */
/* Permission lists of nodes: the owner first, then what single domains may do. */
#ifndef MOCK_PERMS_H
#define MOCK_PERMS_H

#include <stdbool.h>
#include <stddef.h>

#include "alloc.h"

enum {
	PERM_NONE = 0,
	PERM_READ = 1,
	PERM_WRITE = 2,
	PERM_OWNER = 4,
};

struct perm {
	unsigned int domid;
	unsigned int bits;
};

/* Never changed once it is in use, hence shared by all nodes that inherited it. */
struct perms {
	unsigned int refs;
	size_t count; /* at least 1 */
	struct perm list[];
};

/* A list of just the owner, without access for others. The caller has a reference. */
struct perms *perms_new(unsigned int owner);

/*
 * Parses `count` strings (each with its NUL) that begin at `strings`. Returns the list (the caller
 * has a reference), or NULL when one of them is no permission or there is none.
 */
struct perms *perms_parse(const char *strings, size_t count);

/* The list with another owner, at the cost of a copy if it differs. The caller has a reference. */
struct perms *perms_with_owner(struct perms *perms, unsigned int owner);

/* Appends the list to `out`, as the protocol writes it. */
void perms_format(const struct perms *perms, struct buf *out);

/* One reference more; returns `perms`. */
struct perms *perms_ref(struct perms *perms);

/* One reference less; NULL is allowed. */
void perms_unref(struct perms *perms);

/* What domain `domid` may do: a set of PERM_* bits. Domain 0 may everything. */
unsigned int perms_of(const struct perms *perms, unsigned int domid);

#endif
