/* SPDX-License-Identifier: LGPL-2.1-only */
/* Mounts in the mount namespaces of other processes. */
#ifndef NAMESPACES_H
#define NAMESPACES_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "mounts.h"

/* A mount that a process sees, and this one does not. */
struct foreign_mount {
	pid_t process;
	char command[32];     /* its name, as in ps */
	char where[PATH_MAX]; /* the mount point, from its root directory */
};

/*
 * Finds a mount that matches in the mount namespaces of other processes, each of which is read
 * once; stops after half a second. Reads no file system but /proc. Result: whether there is one.
 */
bool foreign_mount_find(bool (*matches)(const struct mount *mount, const void *context),
	const void *context, struct foreign_mount *found);

#endif
