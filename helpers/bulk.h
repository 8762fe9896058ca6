/* SPDX-License-Identifier: LGPL-2.1-only */
/* Many questions to the store in few round trips. */
#ifndef BULK_H
#define BULK_H

#include <stdbool.h>
#include <stddef.h>

#include "store.h"

enum bulk_kind {
	BULK_READ,	/* the answer is a value */
	BULK_DIRECTORY, /* the answer is the children's names, each ended by NUL */
};

/* A series of questions of one kind. */
struct bulk {
	enum bulk_kind kind;
	size_t count;
	void *context;
	/* Writes the path of question `index` (STORE_PATH_SIZE bytes). Result: whether it fits. */
	bool (*path)(void *context, size_t index, char *path);
	/*
	 * Takes the answer to question `index`: an errno of the store, or 0 and `length` bytes,
	 * behind which a NUL stands. It must not use the store. Result: an exit status; any but
	 * STATUS_DONE ends the series, and the connection is of no more use then.
	 */
	int (*answer)(void *context, size_t index, int error, const char *data, size_t length);
};

/*
 * Asks all questions of the series, in order. libxenstore waits for each answer before it sends the
 * next request, which with a thousand guests costs two thousand process switches; this sends
 * requests ahead, by the same protocol (xen/include/public/io/xs_wire.h) and on the library's own
 * socket, which is idle meanwhile; where the connection is the kernel's device, it goes through the
 * library one by one. No watch may be set on the connection.
 * Result: STATUS_DONE; STATUS_FAILED with a complaint where the connection broke; or what answer()
 * has returned.
 */
int bulk_ask(struct store *store, const struct bulk *bulk);

#endif
