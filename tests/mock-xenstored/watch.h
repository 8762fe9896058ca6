/* SPDX-License-Identifier: LGPL-2.1-only */
/* Watches of a connection, and which of them a change concerns. */
#ifndef MOCK_WATCH_H
#define MOCK_WATCH_H

#include "op.h"

struct watch {
	char *path; /* absolute, or a special name that begins with @ */
	char *token;
	size_t prefix; /* bytes to leave out of the paths in events: not 0 if given relative */
};

/* Starts as all zeroes. */
struct watches {
	struct watch *list; /* in the order they were set up */
	size_t count;
	size_t capacity;
};

/* Called with the path (as the client is to see it) and the token of an event. */
typedef void watch_emit(void *context, const char *path, const char *token);

/* Adds a watch; `watch` is copied, its strings too. Returns 0, or EEXIST. */
int watches_add(struct watches *watches, const struct watch *watch);

/* Removes the watch of that path (absolute or special) and token. Returns 0, or ENOENT. */
int watches_remove(struct watches *watches, const char *path, const char *token);

/* Removes all. */
void watches_free(struct watches *watches);

/* Emits the events that `change` causes for domain `domid`, which sees only what it may read. */
void watches_fire(const struct watches *watches, const struct change *change, unsigned int domid,
	watch_emit *emit, void *context);

#endif
