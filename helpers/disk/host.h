/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the host itself does with a disk. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "relatives.h"

#define HOST_STATE_SIZE 512
#define HOST_REMEDY_SIZE 512

/* How the host uses a disk. */
struct host_use {
	bool writes;		       /* the disk's bytes */
	bool reads;		       /* what the disk's user writes */
	char state[HOST_STATE_SIZE];   /* "is mounted on '/mnt' in this host" */
	char remedy[HOST_REMEDY_SIZE]; /* "unmount it" */
};

/* Mounted, swap, below another device, and otherwise held. */
#define HOST_USES 4

struct host_uses {
	struct host_use uses[HOST_USES];
	size_t count;
};

/* What to look at. */
struct host_query {
	const struct disk *disk;
	const struct relatives *relatives;
	/* Whether that device is a guest's, so that it is no use of the host. */
	bool (*given)(const void *context, dev_t number);
	const void *context;
};

/*
 * Finds how the host uses a disk by itself, under any of the names of its bytes: as a mounted file
 * system, as swap, below another device, or in a program that has it open exclusively; of each kind
 * one, one that writes where there is any. The kernel knows whether a device is held (an exclusive
 * open fails); its tables name the reason. A program that does no more than probe lets go soon, so
 * a use without a known reason is looked at again for a fifth of a second.
 */
void host_find(const struct host_query *query, struct host_uses *found);

#endif
