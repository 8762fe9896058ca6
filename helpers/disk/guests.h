/* SPDX-License-Identifier: LGPL-2.1-only */
/* Guests' devices that use a disk according to the store. */
#ifndef GUESTS_H
#define GUESTS_H

#include "device.h"
#include "relatives.h"
#include "store.h"

/* How a guest's access to a disk is known. */
enum guest_access {
	GUEST_BY_MODE, /* by the node `mode` of the device */
	GUEST_READS,   /* a program has the disk open */
	GUEST_WRITES,
};

/* A guest's device, and its overlap with the disk. */
struct guest_device {
	struct device device; /* its type is "" if the device is not known, only the guest */
	dev_t number;	      /* its block device, or 0 if it has none */
	struct overlap overlap;
	enum guest_access access;
	bool guessed; /* it may be another guest's */
	bool alike;   /* its file may be the disk, by its name (opaque_files_alike()) */
};

struct guest_list {
	struct guest_device *devices;
	size_t count, room;
};

/*
 * Takes the value of a node of a device. Result: an exit status; any but STATUS_DONE ends the
 * reading. It must not use the store.
 */
typedef int guest_take(void *context, const struct device *device, const char *value);

/*
 * Calls `take` for each device `base`/DOMID/DEVID that has the node. The device's type is the last
 * part of `base`. Costs one request, and two per guest. Malformed devices are skipped; an
 * unreadable node is an error, because its device may use the disk in question.
 * Result: STATUS_DONE, STATUS_FAILED with a complaint, or the result of take().
 */
int guests_each(
	struct store *store, const char *base, const char *node, guest_take *take, void *context);

/*
 * Adds to the list the devices `base`/DOMID/DEVID whose node `physical-device`, which the kernel's
 * backend serves, overlaps with the disk of `relatives`. Result: as guests_each(). The caller frees
 * the list in either case.
 */
int guests_find(struct store *store, const char *base, const struct relatives *relatives,
	struct guest_list *list);

/* Adds a device. Result: STATUS_DONE, or STATUS_FAILED with a complaint. */
int guest_list_add(struct guest_list *list, const struct guest_device *added);

/* Lists the children of a node; a missing node has none. `*names` is freed by the caller. */
int guests_list_children(struct store *store, const char *path, char ***names, unsigned *count);

/* Frees the devices, and empties the list. */
void guest_list_free(struct guest_list *list);

#endif
