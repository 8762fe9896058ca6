/* SPDX-License-Identifier: LGPL-2.1-only */
/* The connection to xenstored. */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

/* The longest path that xenstored accepts, with its NUL (xen/include/public/io/xs_wire.h). */
#define STORE_PATH_SIZE 3073

struct store {
	struct xs_handle *xs;
	int socket; /* the connection's socket, or -1 if it is the kernel's device */
};

/* A store that is not connected; store_close() does nothing to it. */
#define STORE_CLOSED ((struct store){.socket = -1})

/*
 * Connects, unless already connected, to the socket that XENSTORED_PATH names; without it, to the
 * default socket or the kernel's device. Result: STATUS_DONE, or STATUS_FAILED with a complaint.
 */
int store_open(struct store *store);

/* Closes the connection, if there is one. */
void store_close(struct store *store);

/* Whether `error` (an errno of libxenstore) means that the connection is broken. */
bool store_is_broken(int error);

/* Complains about such an error. Result: STATUS_FAILED. */
int store_complain_broken(int error);

/*
 * Joins `base` and `key` to a path; `key` alone if it begins with a slash or `base` is empty. A
 * base without a leading slash is relative to the caller's home in the store (its domain).
 * Result: whether the path fits into the STORE_PATH_SIZE bytes of `to`.
 */
bool store_path(char *to, const char *base, const char *key);

enum store_answer {
	STORE_VALUE,
	STORE_NONE,  /* no such node */
	STORE_ERROR, /* see errno */
};

/*
 * Reads one node, outside of a transaction if `t` is XBT_NULL. With STORE_VALUE the caller frees
 * *value, which ends in a NUL that *length does not count. A value that contains a NUL gives
 * STORE_ERROR with errno EILSEQ.
 */
enum store_answer store_read(
	struct store *store, xs_transaction_t t, const char *path, char **value, size_t *length);

/* The text for the errno of a STORE_ERROR. */
const char *store_reason(int error);

/*
 * Reads an optional node, whose path is printf-like. Result: a string that the caller frees, or
 * NULL if the node is absent, unreadable or empty.
 */
__attribute__((format(printf, 2, 3))) char *store_text(
	struct store *store, const char *format, ...);

#endif
