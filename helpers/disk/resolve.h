/* SPDX-License-Identifier: LGPL-2.1-only */
/* Resolves a path without asking a server. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <limits.h>
#include <stdbool.h>

#include "mounts.h"

/*
 * Resolves the symbolic links and dots of an absolute path, as far as that is possible without
 * touching a remote file system (filesystem_is_remote_path()). Sets `real` to the path, whose rest
 * is unresolved in that case. Result: whether all of the path is local; false also if it does not
 * exist.
 */
bool path_resolve(const struct mount_table *table, const char *path, char real[PATH_MAX]);

#endif
