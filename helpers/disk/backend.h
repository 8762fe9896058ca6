/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whether a guest's device still has a backend. */
#ifndef BACKEND_H
#define BACKEND_H

#include <stdbool.h>

#include "device.h"
#include "store.h"

enum backend {
	BACKEND_NODES,	 /* the store has its directory */
	BACKEND_KERNEL,	 /* only the kernel still serves it, as after a crash of xenstored */
	BACKEND_GONE,	 /* neither: what is left of the device is stale */
	BACKEND_UNKNOWN, /* the store does not tell; see errno */
};

/* Whether the kernel has such a backend. */
bool backend_in_kernel(const struct device *device);

/*
 * Finds the backend of a device of any type; `base` is the path of one type, such as "backend/vbd".
 * `store` must be connected.
 */
enum backend backend_find(struct store *store, const char *base, const struct device *device);

#endif
