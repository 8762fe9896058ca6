/* SPDX-License-Identifier: LGPL-2.1-only */
/* Atomic changes to a device's nodes. */
#ifndef TRANSACTION_H
#define TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "store.h"

/* One change. */
struct item {
	const char *key;   /* relative to the device's base, or absolute */
	const char *value; /* NULL: remove the node */
	bool optional;	   /* skip it if the store denies access */
};

/*
 * Parses an argument: KEY=VALUE writes, KEY removes, a leading ? makes it optional. `argument` is
 * changed, and the item points into it. Result: false if the key is empty.
 */
bool item_parse(char *argument, struct item *item);

/*
 * Applies the items in one transaction, if the device still exists, that is, if `base`/frontend or
 * `base`/frontend-id does. A transaction that conflicts with another one (EAGAIN) is repeated, at
 * most 50 times and for 5 s.
 * Result: STATUS_DONE; STATUS_ABSENT without a complaint if the device is gone; STATUS_FAILED with
 * a complaint.
 */
int transaction_apply(
	struct store *store, const char *base, const struct item *items, size_t count);

#endif
