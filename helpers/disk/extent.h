/* SPDX-License-Identifier: LGPL-2.1-only */
/* Ranges of bytes, and whether they overlap. */
#ifndef EXTENT_H
#define EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The bottom layer of an extent: a regular file, or a block device with nothing known below. */
struct base {
	bool file;
	dev_t dev; /* the file's file system, or the device */
	ino_t ino; /* of the file */
};

/* The length of an extent that reaches to the end of its base, whose size can change. */
#define EXTENT_TO_END UINT64_MAX

/*
 * A part of a device that does not overlap with the device's other views, although the positions of
 * its bytes below the device are unknown: a range of an array (md, RAID, cache …), a volume of a
 * thin pool, an origin and its snapshots, or a file of the file system on the device.
 */
struct view {
	dev_t of;
	uint64_t id; /* VIEW_WHOLE, or the number of the view */
	uint64_t start, length;
};

/* The device itself, which overlaps with each of its views. */
#define VIEW_WHOLE 0
/* The first volume of a thin pool; the id of volume N is this plus N. */
#define VIEW_THIN 1
/* An origin and its snapshots: a write to the origin does not change the snapshots. */
#define VIEW_ORIGIN 1
#define VIEW_SNAPSHOT 2
/* Set in the ids of files, which extent_file_view() forms. */
#define VIEW_FILE (1ULL << 63)

#define EXTENT_VIEWS 6

/* A range of a base in bytes, and the views that lead to it, the top one first. */
struct extent {
	struct base base;
	uint64_t start, length;
	bool read_only; /* writing the disk does not write this, as with a snapshot's origin */
	bool beneath;	/* on the device of a file's file system, which this host has mounted */
	struct view views[EXTENT_VIEWS];
	size_t view_count;
};

/* A whole regular file. */
struct extent extent_of_file(dev_t dev, ino_t ino);

/*
 * The id of a file as a view of the device below its file system. Equal ids of two files, which are
 * possible, make them overlap, which errs on the safe side.
 */
uint64_t extent_file_view(dev_t dev, ino_t ino);

/*
 * Converts an extent of a layer to one of the layer below, where the upper layer is the range of
 * `length` bytes from `start` on (EXTENT_TO_END: the rest).
 */
void extent_map_down(struct extent *extent, uint64_t start, uint64_t length);

/*
 * Below the device `of` the position of the extent is unknown: it becomes its range in the view
 * `id`, and covers all that is below. If there is no room for another view, the extent overlaps
 * with all others there, which errs on the safe side.
 */
void extent_lose_position(struct extent *extent, dev_t of, uint64_t id);

/* Adds the view `id` of the device `of` to the extent; its position stays known. */
void extent_add_view(struct extent *extent, dev_t of, uint64_t id);

/* Whether a byte may belong to both. */
bool extent_overlaps(const struct extent *a, const struct extent *b);

/* Whether bases, ranges and views are equal. */
bool extent_equal(const struct extent *a, const struct extent *b);

/* Room for base_text(). */
#define BASE_TEXT_SIZE 48

/* Formats "file DEV:INO" in hexadecimal, or "device MAJOR:MINOR" in decimal. Result: text. */
const char *base_text(const struct base *base, char text[BASE_TEXT_SIZE]);

#endif
