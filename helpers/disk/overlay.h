/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files of overlayfs, and the files in its layers that have their bytes. */
#ifndef OVERLAY_H
#define OVERLAY_H

#include <stdbool.h>

#include "mounts.h"

/* More overlays on overlays than the kernel allows. */
#define OVERLAYS 4

/*
 * Calls `each` for the upper layer of an overlay, and then for the lower ones from the top down,
 * until it returns false. `options` are those of its mount, in which the kernel escapes some bytes
 * in octal, and the person who mounted it colons and commas with a backslash. A layer that is not
 * an absolute path is relative to a directory that nobody knows.
 * Result: false with errno if `each` returned false, or if memory ran out.
 */
bool overlay_each_layer(
	const char *options, bool (*each)(const char *layer, void *context), void *context);

/*
 * Opens, with O_PATH, the file of a layer that has the bytes of the open file `handle`, if that is
 * on an overlay; through overlays on overlays to the last one. It is looked up by its path in each
 * layer, and taken if its times, size and mode are equal.
 * Result: a descriptor; or -1 if it is on no overlay, or is not found: because a layer cannot be
 * reached by its path, a directory was renamed, or only the attributes are in the upper layer.
 */
int overlay_open_below(const struct mount_table *mounts, int handle);

#endif
