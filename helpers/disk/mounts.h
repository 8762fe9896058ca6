/* SPDX-License-Identifier: LGPL-2.1-only */
/* Parses the kernel's tables of mounts and swap spaces. */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

/* One line of /proc/self/mountinfo (proc(5)); the strings point into that line. */
struct mount {
	dev_t device;
	char *where;	/* the mount point */
	char *source;	/* the mounted thing, as the file system names it */
	bool read_only; /* the file system itself, not only this mount of it */
};

/* Parses a line of that table, which is changed. Result: whether it is well-formed. */
bool mount_parse(char *line, struct mount *mount);

/*
 * Parses a line of /proc/swaps, which is changed. Result: the path of the file or device, which
 * points into the line, or NULL if the line has none.
 */
char *swap_parse(char *line);

#endif
