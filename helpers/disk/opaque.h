/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files on file systems that do not tell where their bytes are: NFS, FUSE, 9p … */
#ifndef OPAQUE_H
#define OPAQUE_H

#include <stdbool.h>

#include "looplist.h"
#include "mounts.h"

/*
 * The type of the file system of a file with this path and device number, if it is opaque: it has
 * no block device, and what it shows may be the files of another file system. "unknown" if it is
 * not mounted in this namespace. Otherwise NULL.
 */
const char *opaque_type(const struct mount_table *mounts, dev_t dev, const char *path);

/*
 * Whether two paths may lead to one file through two mounts: the names are equal from the end up to
 * the root directory of one of the file systems.
 */
bool opaque_paths_match(const char *a, const char *b);

/* A file, of which one of these may have another name on an opaque file system. */
struct named_file {
	dev_t dev;
	const char *path;
	uint64_t size; /* in bytes; 0 if it is not known, and then any other may be the same */
};

/*
 * Whether two files on different file systems may be one, because one of both is opaque, and sizes
 * and names are equal. Asks no file system.
 */
bool opaque_files_alike(
	const struct mount_table *mounts, const struct named_file *a, const struct named_file *b);

/* Whether any file system is opaque: only then, a file may have names on two of them. */
bool opaque_is_mounted(const struct mount_table *mounts);

/*
 * Whether the file of a loop device may be a file with this path, device number and size on another
 * file system, because one of both is opaque, and sizes and names are equal. Asks no remote file
 * system.
 */
bool opaque_alike(struct mount_table *mounts, const struct loop *loop, dev_t dev, const char *path,
	uint64_t size);

#endif
