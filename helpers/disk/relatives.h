/* SPDX-License-Identifier: LGPL-2.1-only */
/* All block devices through which some of a disk's bytes can be reached. */
#ifndef RELATIVES_H
#define RELATIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "disk.h"
#include "loop.h"

/* A block device, and how it shares bytes with the disk, which is the first. */
struct relative {
	dev_t number;
	struct overlap overlap;
	bool holder; /* built on the disk, or on the whole disk that it is a partition of */
};

struct relatives {
	struct relative *all; /* the disk itself included where it is a block device */
	size_t count;
	struct loop_list loops; /* those of them that are loop devices, in detail */
};

/*
 * Finds them: the disk, what is below it, and all that is built on any of those bytes: partitions,
 * loop devices, and the holders that sysfs shows (device-mapper, md …), one on the other. Looking
 * for users is then a matter of comparing numbers, however many guests there are.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint; to be freed in either case.
 */
int relatives_find(const struct disk *disk, struct relatives *relatives);

/* Frees what they hold, and makes them none. */
void relatives_free(struct relatives *relatives);

/* The one with that number, or NULL. */
const struct relative *relatives_get(const struct relatives *relatives, dev_t number);

#endif
