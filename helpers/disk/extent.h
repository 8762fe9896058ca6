/* SPDX-License-Identifier: LGPL-2.1-only */
/* Ranges of bytes, and which of them are the same bytes. */
#ifndef EXTENT_H
#define EXTENT_H

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

/*
 * One of several views of a device that are apart from each other although nobody knows where below
 * that device their bytes lie: a range of an array (md, RAID, cache …), a volume of a thin pool,
 * an origin and its snapshots.
 */
struct view {
	dev_t of;
	uint64_t id; /* VIEW_WHOLE, or a number among the views of that device */
	uint64_t start, length;
};

/* The device as it is: shares bytes with each view of it. */
#define VIEW_WHOLE 0
/* A volume of a thin pool: this and its number. */
#define VIEW_THIN 1
/* What is written to an origin is kept from its snapshots. */
#define VIEW_ORIGIN 1
#define VIEW_SNAPSHOT 2

#define EXTENT_VIEWS 4

/* A range of a base, in bytes, and the views through which it is reached, the uppermost first. */
struct extent {
	struct base base;
	uint64_t start, length;
	bool read_only; /* also by who writes the disk, as a snapshot reads its origin */
	struct view views[EXTENT_VIEWS];
	size_t view_count;
};

/* All of a regular file. */
struct extent extent_of_file(dev_t dev, ino_t ino);

/*
 * An extent of a layer becomes one of the layer below, in which the upper layer is the range from
 * `start` on, `length` bytes (EXTENT_TO_END: all the rest).
 */
void extent_sink(struct extent *extent, uint64_t start, uint64_t length);

/*
 * From here on the extent is known as that part of the view `id` of a device, and nothing else
 * about it: it becomes all of what is below. Without room for a further view the extent is taken
 * for one that shares bytes with others.
 */
void extent_hide(struct extent *extent, dev_t of, uint64_t id);

/* Adds a view, and leaves the range as it is. */
void extent_add_view(struct extent *extent, dev_t of, uint64_t id);

/* Whether some byte belongs to both. */
bool extent_overlaps(const struct extent *a, const struct extent *b);

/* Whether they are the same bytes, reached in the same way. */
bool extent_equal(const struct extent *a, const struct extent *b);

/* Room for base_text(). */
#define BASE_TEXT_SIZE 48

/* "file DEV:INO" in hexadecimal, or "device MAJOR:MINOR" in decimal. Result: text. */
const char *base_text(const struct base *base, char text[BASE_TEXT_SIZE]);

#endif
