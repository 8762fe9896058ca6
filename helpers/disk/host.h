/* SPDX-License-Identifier: LGPL-2.1-only */
/* The host's own uses of a disk. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "relatives.h"

#define HOST_STATE_SIZE 512
#define HOST_REMEDY_SIZE 512

/* How the host uses a disk. */
struct host_use {
	bool writes;		       /* it can change bytes of the disk */
	bool reads;		       /* it reads bytes that the disk's user can change */
	char state[HOST_STATE_SIZE];   /* "is mounted on '/mnt' in this host" */
	char remedy[HOST_REMEDY_SIZE]; /* "unmount it" */
};

/* Mounted, swap, below another device, and otherwise held. */
#define HOST_USES 4

struct host_uses {
	struct host_use uses[HOST_USES];
	size_t count;
};

/* The arguments of host_find(). */
struct host_query {
	const struct disk *disk;
	const struct relatives *relatives;
	/* Whether a guest has that device, so that the host does not use it. */
	bool (*given)(const void *context, dev_t number);
	const void *context;
};

/* How this host has mounted a loop device or its partitions. */
enum host_mounts {
	HOST_UNMOUNTED,
	HOST_READS, /* only as file systems that never write, such as squashfs */
	HOST_MOUNTED,
};

/* How it has mounted that one, in this mount namespace. */
enum host_mounts host_mounts_of(dev_t loop);

/*
 * Finds how the host uses the disk or any of its relatives: as a mounted file system, as swap,
 * below another device, or in a program that has it open with O_EXCL. Reports one use of each kind,
 * preferably one that writes. An exclusive open fails if the kernel holds the device, and its
 * tables name the reason. Without a known reason it tries again for 0.2 s, because udev and the
 * like open a device only briefly.
 */
void host_find(const struct host_query *query, struct host_uses *found);

#endif
