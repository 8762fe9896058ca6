/* SPDX-License-Identifier: LGPL-2.1-only */
/* The image file or block device that becomes a guest's disk. */
#ifndef DISK_H
#define DISK_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "identity.h"

struct disk {
	int handle;	     /* O_PATH: stays this file even if its name is replaced */
	int data;	     /* open for reading; also for writing if it is a file to be written */
	char path[PATH_MAX]; /* without symbolic links */
	bool file;	     /* an image file; otherwise a block device */
	bool read_only;	     /* by permission, file system or device */
	struct stat stat;
	struct identity identity;
};

/* A disk that is not open; disk_close() does nothing to it. */
#define DISK_CLOSED ((struct disk){.handle = -1, .data = -1})

/*
 * Opens `target`, an absolute path, and examines it. The path is resolved only once, so a later
 * change of the name has no effect. Result: STATUS_DONE; or STATUS_FAILED with a complaint if it
 * cannot be a disk, or if `write` is set and it cannot be written. A file on an overlay is replaced
 * by that of a layer (overlay_open_below()). The caller closes *disk in either case.
 */
int disk_open(const char *target, bool write, struct disk *disk);

/* Opens a block device again with O_EXCL. Result: a descriptor, or -1 with errno. */
int disk_open_exclusively(const struct disk *disk);

/* Closes its descriptors and frees its identity. */
void disk_close(struct disk *disk);

#endif
