/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which guests' devices the store says to be on certain block devices. */
#ifndef GUESTS_H
#define GUESTS_H

#include "device.h"
#include "relatives.h"
#include "store.h"

/* A guest's device, and the block device it was given. */
struct guest_device {
	struct device device;
	dev_t number;
};

struct guest_list {
	struct guest_device *devices;
	size_t count;
};

/*
 * Finds the devices `base`/DOMID/DEVID whose physical-device is one of the relatives' numbers. The
 * device's type is the last part of `base`. Takes two requests per guest and one. What does not
 * parse is no device; what cannot be read is an error, since the disk may be there.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint; the list is to be freed in either case.
 */
int guests_find(struct store *store, const char *base, const struct relatives *relatives,
	struct guest_list *list);

/* Frees what it holds, and makes it empty. */
void guest_list_free(struct guest_list *list);

#endif
