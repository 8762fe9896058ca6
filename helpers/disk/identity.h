/* SPDX-License-Identifier: LGPL-2.1-only */
/* The bytes of a disk, resolved through all layers. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "extent.h"
#include "filesystem.h"
#include "looplist.h"
#include "mounts.h"

/* The most layers of devices that a disk may lie on. */
#define IDENTITY_DEPTH 16

/* A disk's extents, and the block devices that lead to them, the disk itself first. */
struct identity {
	struct extent *extents;
	size_t extent_count, extent_room;
	dev_t *layers;
	size_t layer_count, layer_room;
};

/*
 * Partitions, whole disks and mounts, which are read once, because many devices can be built on the
 * same few. Zero at first.
 */
struct identity_cache {
	struct partition {
		dev_t number;
		dev_t whole; /* its disk; or `number`, if it is a whole disk */
		uint64_t start, length;
	} * partitions;
	size_t count, room;
	struct mount_table mounts;     /* read when it is needed */
	const struct loop_list *loops; /* already read; NULL: loop devices are asked */
};

/* Frees the entries, and empties the cache. */
void identity_cache_free(struct identity_cache *cache);

/*
 * The identity of a regular file: its own bytes, and as a part of the block devices of its file
 * system, which are followed as by identity_of_device().
 * Result: false with errno; ELOOP or E2BIG if there are too many layers or extents. The caller
 * frees it in either case.
 */
bool identity_of_file(
	const struct file *file, struct identity_cache *cache, struct identity *identity);

/*
 * The identity of a block device. It follows partitions (sysfs), loop devices (LOOP_GET_STATUS64)
 * to their files and the devices of these files' file systems, and the targets of device-mapper
 * (its table) to the bottom. Any other device that is built from devices (md, DRBD, bcache: slaves
 * in sysfs) counts as all the bytes of each of them.
 * Result: as identity_of_file().
 */
bool identity_of_device(dev_t number, struct identity_cache *cache, struct identity *identity);

/* Frees the lists, and empties the identity. */
void identity_free(struct identity *identity);

/* How two disks overlap. */
struct overlap {
	bool any;
	bool first_writes;  /* writing the first disk can change common bytes */
	bool second_writes; /* writing the second disk can */
	bool direct;	    /* they share bytes other than beneath the first disk's file system */
};

/* Compares two disks. */
struct overlap identity_overlap(const struct identity *a, const struct identity *b);

/* The same with one extent as the second disk. */
struct overlap identity_overlap_extent(const struct identity *a, const struct extent *b);

/* Whether all their extents are equal. */
bool identity_equal(const struct identity *a, const struct identity *b);

/* Whether `number` is the disk itself or one of the block devices below it. */
bool identity_has_layer(const struct identity *identity, dev_t number);

/* Whether a part of it is a file. */
bool identity_has_file(const struct identity *identity);

/* Whether the disk is, or lies on, a file of the file system with this device number. */
bool identity_has_file_on(const struct identity *identity, dev_t file_system);

#endif
