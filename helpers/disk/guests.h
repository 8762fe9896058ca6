/* SPDX-License-Identifier: LGPL-2.1-only */
/* Guests' devices that use a disk according to the store. */
#ifndef GUESTS_H
#define GUESTS_H

#include "device.h"
#include "relatives.h"
#include "store.h"

/* A guest's device, and its overlap with the disk. */
struct guest_device {
	struct device device;
	dev_t number; /* its block device, or 0 if it has none */
	struct overlap overlap;
};

struct guest_list {
	struct guest_device *devices;
	size_t count, room;
};

/* The node that names a device's disk. */
enum guests_by {
	GUESTS_BY_NUMBER, /* physical-device, for the kernel's backend */
	GUESTS_BY_PATH,	  /* params, for backends in programs: FORMAT:PATH, or a path alone */
};

/*
 * Adds to the list the devices `base`/DOMID/DEVID that overlap with the disk. The device's type is
 * the last part of `base`. Costs one request, and two per guest. Malformed nodes are skipped; an
 * unreadable node is an error, because its device may use the disk.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint. The caller frees the list in either case.
 */
int guests_find(struct store *store, const char *base, enum guests_by by, const struct disk *disk,
	const struct relatives *relatives, struct guest_list *list);

/*
 * The same for devices whose backend is a program (QEMU, tapdisk, virtio-disk), in the siblings of
 * `base`. Costs one request if there are none.
 */
int guests_find_served(struct store *store, const char *base, const struct disk *disk,
	const struct relatives *relatives, struct guest_list *list);

/* The local path in a node `params`, or NULL if it names something else, such as a server. */
const char *guests_params_path(const char *params);

/* Frees the devices, and empties the list. */
void guest_list_free(struct guest_list *list);

#endif
