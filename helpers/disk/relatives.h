/* SPDX-License-Identifier: LGPL-2.1-only */
/* All block devices that share bytes with a disk. */
#ifndef RELATIVES_H
#define RELATIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "disk.h"
#include "loop.h"
#include "looplist.h"

/* A block device, and its overlap with the disk; the disk is the first of the two. */
struct relative {
	dev_t number;
	struct overlap overlap;
	bool holder; /* built on the disk, or on the whole disk of a partition */
};

struct relatives {
	struct relative *all; /* includes the disk itself if it is a block device */
	size_t count;
	struct loop_list loops; /* the loop devices among them */
	struct loop_list alike; /* those whose file may be the disk (opaque_alike()) */
	char opaque[32];	/* the type of the disk's file system if it is opaque, else "" */
};

/*
 * Finds the disk, the devices below it, and recursively all devices that are built on any of its
 * bytes: partitions, loop devices, and holders in sysfs (device-mapper, md …). The search for users
 * then only compares device numbers, so it stays fast with many guests.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint. The caller frees it in either case.
 */
int relatives_find(const struct disk *disk, struct relatives *relatives);

/* Frees the lists, and empties them. */
void relatives_free(struct relatives *relatives);

/*
 * How a file overlaps with the disk, also through the file systems on the disk's relatives or below
 * the disk. A file that cannot be examined overlaps, to be safe.
 */
struct overlap relatives_overlap_file(const struct disk *disk, const struct relatives *relatives,
	struct identity_cache *cache, const struct file *file);

/* The relative with that number, or NULL. */
const struct relative *relatives_get(const struct relatives *relatives, dev_t number);

#endif
