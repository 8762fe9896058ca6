/* SPDX-License-Identifier: LGPL-2.1-only */
/* Several changes to a device's nodes at once, or none. */
#ifndef TRANSACTION_H
#define TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "store.h"

/* One change. */
struct item {
	const char *key;   /* relative to the device's base, or absolute */
	const char *value; /* NULL: remove the node */
	bool optional;	   /* skip it where the store denies access */
};

/*
 * Parses an argument KEY=VALUE (write), KEY (remove), ?KEY… (optional). `argument` is changed, and
 * the item points into it. Result: false where there is no key.
 */
bool item_parse(char *argument, struct item *item);

/*
 * Applies the items in one transaction, which first makes sure that the device is still there: that
 * `base`/frontend or `base`/frontend-id exists. A transaction that raced with another (EAGAIN) is
 * tried again, at most 50 times and for 5 s.
 * Result: STATUS_DONE; STATUS_ABSENT without a complaint where the device is gone; STATUS_FAILED
 * with one.
 */
int transaction_apply(
	struct store *store, const char *base, const struct item *items, size_t count);

#endif
