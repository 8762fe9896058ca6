/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which guests' devices the store says to be on a disk. */
#ifndef GUESTS_H
#define GUESTS_H

#include "device.h"
#include "relatives.h"
#include "store.h"

/* A guest's device, and how it shares bytes with the disk. */
struct guest_device {
	struct device device;
	dev_t number; /* the block device that it was given, or 0 */
	struct overlap overlap;
};

struct guest_list {
	struct guest_device *devices;
	size_t count, room;
};

/* By what the store says which disk a guest's device is on. */
enum guests_by {
	GUESTS_BY_NUMBER, /* physical-device, of what the kernel's backend serves */
	GUESTS_BY_PATH,	  /* params, of what a program serves: FORMAT:PATH, or a path alone */
};

/*
 * Adds to the list the devices `base`/DOMID/DEVID that share bytes with the disk. The device's type
 * is the last part of `base`. Takes two requests per guest and one. What does not parse is no
 * device; what cannot be read is an error, since the disk may be there.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint; the list is to be freed in either case.
 */
int guests_find(struct store *store, const char *base, enum guests_by by, const struct disk *disk,
	const struct relatives *relatives, struct guest_list *list);

/*
 * The same for the devices of all guests that a program serves (QEMU, tapdisk, virtio-disk): those
 * beside `base`. Where there are none it takes one request.
 */
int guests_find_served(struct store *store, const char *base, const struct disk *disk,
	const struct relatives *relatives, struct guest_list *list);

/*
 * The local path in a node `params`. Result: NULL where it names something else, such as a server.
 */
const char *guests_params_path(const char *params);

/* Frees what it holds, and makes it empty. */
void guest_list_free(struct guest_list *list);

#endif
