/* SPDX-License-Identifier: LGPL-2.1-only */
/* The connection to xenstored. */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

/* Longest path that xenstored takes, with its NUL (xen/include/public/io/xs_wire.h). */
#define STORE_PATH_SIZE 3073

struct store {
	struct xs_handle *xs;
	int socket; /* the connection's socket, or -1 where it is not one */
};

/* A store that is not connected yet: store_open() on it connects, store_close() does nothing. */
#define STORE_CLOSED ((struct store){.socket = -1})

/*
 * Connects, unless that is done already: to the socket that XENSTORED_PATH names, else to the
 * usual one or the kernel's device. Result: STATUS_DONE, or STATUS_FAILED with a complaint.
 */
int store_open(struct store *store);

/* Ends the connection, if there is one. */
void store_close(struct store *store);

/* Whether `error` (an errno of libxenstore) means that the connection is of no more use. */
bool store_is_broken(int error);

/* Complains about such an error. Result: STATUS_FAILED. */
int store_complain_broken(int error);

/*
 * Joins the path of a node: `key` under `base`, or `key` alone where it begins with a slash or
 * base is empty. A base without a leading slash is relative to the caller's home in the store.
 * Result: whether it fits `to`, which has STORE_PATH_SIZE bytes.
 */
bool store_path(char *to, const char *base, const char *key);

enum store_answer {
	STORE_VALUE,
	STORE_NONE,  /* there is no such node */
	STORE_ERROR, /* errno tells */
};

/*
 * Reads one node, outside (t = XBT_NULL) or inside of a transaction. With STORE_VALUE *value is to
 * be freed; it ends in a NUL that *length does not count. A value that holds a NUL byte is
 * STORE_ERROR with errno EILSEQ.
 */
enum store_answer store_read(
	struct store *store, xs_transaction_t t, const char *path, char **value, size_t *length);

/* The reason of a STORE_ERROR, in words. */
const char *store_reason(int error);

/*
 * Reads one node whose path is printf-like, as a string to be freed. Result: NULL where it is
 * absent, unreadable or empty: for nodes that help but are not needed.
 */
__attribute__((format(printf, 2, 3))) char *store_text(
	struct store *store, const char *format, ...);

#endif
