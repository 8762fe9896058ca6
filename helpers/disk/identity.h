/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which bytes a disk consists of, whatever names and layers it is reached through. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "extent.h"

/* A disk's bytes, and the block devices that they are reached through, the disk itself first. */
struct identity {
	struct extent *extents;
	size_t extent_count, extent_room;
	dev_t *layers;
	size_t layer_count, layer_room;
};

/* The identity of a regular file. Result: false with errno; to be freed in either case. */
bool identity_of_file(dev_t dev, ino_t ino, struct identity *identity);

/*
 * Partitions and whole disks that have been looked at, which need no second look where many devices
 * stand on the same few. Empty at first.
 */
struct ground {
	struct plot {
		dev_t number;
		dev_t whole; /* the disk that it is a partition of, or itself */
		uint64_t start, length;
	} * plots;
	size_t count, room;
};

/* Frees what it holds, and makes it empty. */
void ground_free(struct ground *ground);

/*
 * The identity of a block device, to the bottom: through partitions (sysfs), loop devices
 * (LOOP_GET_STATUS64), the targets of device-mapper (its table), and whatever else is built of
 * other devices (md, DRBD, bcache: slaves in sysfs), of which each is taken for all of those.
 * `ground` may be NULL.
 * Result: false with errno, ELOOP or E2BIG where there are too many layers or parts; to be freed in
 * either case.
 */
bool identity_of_device(dev_t number, struct ground *ground, struct identity *identity);

/* Frees what it holds, and makes it empty. */
void identity_free(struct identity *identity);

/* How two disks share bytes. */
struct overlap {
	bool any;
	bool first_writes;  /* who writes the first one, writes such a byte */
	bool second_writes; /* who writes the second one does */
};

/* Which bytes belong to both. */
struct overlap identity_overlap(const struct identity *a, const struct identity *b);

/* The same with one extent as the second. */
struct overlap identity_overlap_extent(const struct identity *a, const struct extent *b);

/* Whether they are the same bytes, and not only some of them. */
bool identity_equal(const struct identity *a, const struct identity *b);

/* Whether `number` is the disk itself or one of the block devices below it. */
bool identity_has_layer(const struct identity *identity, dev_t number);

#endif
