/* SPDX-License-Identifier: LGPL-2.1-only */
/* Many store reads in few round trips. */
#ifndef BULK_H
#define BULK_H

#include <stdbool.h>
#include <stddef.h>

#include "store.h"

enum bulk_kind {
	BULK_READ,	/* the reply is a value */
	BULK_DIRECTORY, /* the reply is the children's names, each ended by a NUL */
};

/* A series of requests of one kind. */
struct bulk {
	enum bulk_kind kind;
	size_t count;
	void *context;
	/* Writes the path of request `index` (STORE_PATH_SIZE bytes). Result: whether it fits. */
	bool (*path)(void *context, size_t index, char *path);
	/*
	 * Takes the reply to request `index`: an errno of the store, or 0 and `length` bytes
	 * followed by a NUL. It must not use the store. Result: an exit status; any but STATUS_DONE
	 * ends the series, and then the connection must be closed, because replies are pending.
	 */
	int (*answer)(void *context, size_t index, int error, const char *data, size_t length);
};

/*
 * Sends all requests of the series, in order. libxenstore waits for each reply before it sends the
 * next request, which costs two thousand context switches with a thousand guests. This function
 * pipelines the requests, with the same protocol (xen/include/public/io/xs_wire.h) on the library's
 * own socket. On the kernel's device it uses the library, one request at a time. The connection
 * must have no watches, because their events would be read as replies.
 * Result: STATUS_DONE; STATUS_FAILED with a complaint if the connection broke; or the result of
 * answer().
 */
int bulk_ask(struct store *store, const struct bulk *bulk);

#endif
