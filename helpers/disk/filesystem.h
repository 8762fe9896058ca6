/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the file system of a file lies on. */
#ifndef FILESYSTEM_H
#define FILESYSTEM_H

#include <stdbool.h>
#include <sys/types.h>

#include "mounts.h"

/*
 * Calls `each` for each block device that a file lies on, until it returns false. The file is known
 * by its file system's device number, as from stat(), and its path without symbolic links, which
 * only matters on a file system without a device, such as btrfs; there, "" finds none. Reads
 * `mounts` if it needs them.
 * Result: false with errno if `each` returned false, or if the mounts cannot be read.
 */
bool filesystem_each_device(dev_t dev, const char *path, struct mount_table *mounts,
	bool (*each)(dev_t device, void *context), void *context);

#endif
