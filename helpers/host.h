/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the host itself does with a block device. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>

#include "relatives.h"

#define HOST_STATE_SIZE 512
#define HOST_REMEDY_SIZE 512

/* How the host uses a disk. */
struct host_use {
	bool writes;
	char state[HOST_STATE_SIZE];   /* "is mounted on '/mnt' in this host" */
	char remedy[HOST_REMEDY_SIZE]; /* "unmount it" */
};

/*
 * Whether the host uses a block device by itself: as a mounted file system, as swap, below another
 * device, or in a program that has it open exclusively. The kernel knows (an exclusive open
 * fails); its tables only name the reason. A program that does no more than probe lets go soon, so
 * a use without a known reason is looked at again for a fifth of a second.
 * Result: false where it does not, or where `disk` is a file.
 */
bool host_uses(const struct disk *disk, const struct relatives *relatives, struct host_use *use);

#endif
