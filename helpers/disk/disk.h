/* SPDX-License-Identifier: LGPL-2.1-only */
/* The image file or block device that a guest is to get as its disk. */
#ifndef DISK_H
#define DISK_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "identity.h"

struct disk {
	int handle; /* O_PATH: the thing itself, whatever its name comes to mean */
	int data; /* open for reading, and for writing where that was asked for and it is a file */
	char path[PATH_MAX]; /* without links */
	bool file;	     /* an image file; otherwise a block device */
	bool read_only;	     /* must not or cannot be written */
	struct stat stat;
	struct identity identity;
};

/* A disk that is not open: disk_close() on it does nothing. */
#define DISK_CLOSED ((struct disk){.handle = -1, .data = -1})

/*
 * Opens `target`, an absolute path, once, and finds out what it is; all else works on that
 * descriptor. Result: STATUS_DONE, or STATUS_FAILED with a complaint that says why it cannot be a
 * disk, or cannot be written where `write` is asked for. *disk is to be closed in either case.
 */
int disk_open(const char *target, bool write, struct disk *disk);

/* Opens a block device once more, exclusively. Result: a descriptor, or -1 with errno. */
int disk_open_exclusively(const struct disk *disk);

/* Closes its descriptors, as far as they are open. */
void disk_close(struct disk *disk);

#endif
