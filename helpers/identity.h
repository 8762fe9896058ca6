/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which bytes a disk consists of, whatever names and layers it is reached through. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What bytes lie on in the end: a regular file, or a block device with nothing known below it. */
struct base {
	bool file;
	dev_t dev; /* of the file's file system, or the device's own number */
	ino_t ino; /* of the file */
};

/* To the end of whatever is below, however long that is or will be. */
#define EXTENT_TO_END UINT64_MAX

/* A range of a base, in bytes. */
struct extent {
	struct base base;
	uint64_t start, length;
};

#define IDENTITY_EXTENTS 8
#define IDENTITY_LAYERS 16

/*
 * A disk's bytes, and the block devices that they are reached through, the disk itself first. One
 * extent is enough for a file, a loop device, a partition and a whole disk; a stack of several
 * bottoms (device-mapper, md) has more.
 */
struct identity {
	struct extent extents[IDENTITY_EXTENTS];
	size_t extent_count;
	dev_t layers[IDENTITY_LAYERS];
	size_t layer_count;
};

/* The identity of a regular file. */
void identity_of_file(dev_t dev, ino_t ino, struct identity *identity);

/*
 * The identity of a block device: through partitions (sysfs) and loop devices (LOOP_GET_STATUS64)
 * down to what they stand on. Result: false with errno; ELOOP where there are too many layers.
 */
bool identity_of_device(dev_t number, struct identity *identity);

/* Whether some byte belongs to both. */
bool identity_overlaps(const struct identity *a, const struct identity *b);

/* Whether they are the same bytes, and not only some of them. */
bool identity_equal(const struct identity *a, const struct identity *b);

/* Whether `number` is the disk itself or one of the block devices below it. */
bool identity_has_layer(const struct identity *identity, dev_t number);

/* Room for base_text(). */
#define BASE_TEXT_SIZE 48

/* "file DEV:INO" in hexadecimal, or "device MAJOR:MINOR" in decimal. Result: text. */
const char *base_text(const struct base *base, char text[BASE_TEXT_SIZE]);

#endif
