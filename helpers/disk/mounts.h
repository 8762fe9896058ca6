/* SPDX-License-Identifier: LGPL-2.1-only */
/* The kernel's tables of mounts and swap spaces. */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

/* One line of /proc/self/mountinfo (proc(5)); the texts point into that line. */
struct mount {
	dev_t device;
	char *where;	/* the mount point */
	char *source;	/* what is mounted, as the file system names it */
	bool read_only; /* the file system itself, not only this view of it */
};

/* Parses a line, which is changed. Result: whether it is one. */
bool mount_parse(char *line, struct mount *mount);

/*
 * Parses a line of /proc/swaps, which is changed. Result: the path of the file or device, in that
 * line, or NULL where it is no such line.
 */
char *swap_parse(char *line);

#endif
