/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the file system of a file lies on. */
#ifndef FILESYSTEM_H
#define FILESYSTEM_H

#include <stdbool.h>
#include <sys/types.h>

#include "mounts.h"

/* A regular file. */
struct file {
	dev_t dev; /* of its file system, as from stat() */
	ino_t ino;
	const char *path; /* without symbolic links, as the kernel prints it; "" if it is unknown */
};

/*
 * Calls `each` for each block device that a file lies on, until it returns false. The path only
 * matters on a file system without a device number of its own, such as btrfs; there, "" finds none.
 * Reads `mounts` if it needs them.
 * Result: false with errno if `each` returned false, or if the mounts cannot be read.
 */
bool filesystem_each_device(const struct file *file, struct mount_table *mounts,
	bool (*each)(dev_t device, void *context), void *context);

/*
 * Calls `each` for each block device that the mount's file system lies on: for all members of a
 * btrfs. Result: whether `each` returned true for all.
 */
bool filesystem_each_device_of(
	const struct mount *mount, bool (*each)(dev_t device, void *context), void *context);

/*
 * Whether a mount's file system is remote: served by another host or by a process, so that a
 * system call on it may block for as long as the server does not answer. An overlay is remote if
 * one of its layers is, or cannot be found among `mounts`.
 */
bool filesystem_is_remote(const struct mount_table *mounts, const struct mount *mount);

/* Whether that is true of any mount. */
bool filesystem_has_remote(const struct mount_table *mounts);

/*
 * Whether a mount's file system, which has no block device, may show files of another one: remote
 * ones, and stacked ones such as overlays whose layers were not found.
 */
bool filesystem_is_opaque(const struct mount *mount);

/*
 * Whether the file with this path, which is absolute and without symbolic links, may be on a remote
 * file system: one that is mounted on any directory above it, since mounts can hide one another.
 * The file system of the mount `except`, unless it is NULL, does not count.
 */
bool filesystem_is_remote_path(
	const struct mount_table *mounts, const char *path, const struct mount *except);

/*
 * Replaces a file on an overlay, which is not remote, by the layer's file that has its bytes, if
 * the path still names this file; sets `path`, which has room for `size` bytes and is the file's,
 * to that one's path. Reads `mounts` if it needs them.
 */
void filesystem_to_layer(struct mount_table *mounts, char *path, size_t size, struct file *file);

#endif
