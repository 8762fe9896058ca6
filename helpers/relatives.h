/* SPDX-License-Identifier: LGPL-2.1-only */
/* All block devices through which some of a disk's bytes can be reached. */
#ifndef RELATIVES_H
#define RELATIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "disk.h"
#include "loop.h"

struct relatives {
	dev_t *numbers; /* of the block devices, the disk itself included where it is one */
	size_t count;
	struct loop_list loops; /* those of them that are loop devices, in detail */
};

/*
 * Finds them: the disk, what is below it, its partitions or its siblings that overlap, and all loop
 * devices, with their partitions, over any of those bytes. Looking for users is then a matter of
 * comparing numbers, however many guests there are.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint; to be freed in either case.
 */
int relatives_find(const struct disk *disk, struct relatives *relatives);

/* Frees what they hold, and makes them none. */
void relatives_free(struct relatives *relatives);

/* Whether the number is one of theirs. */
bool relatives_have(const struct relatives *relatives, dev_t number);

#endif
