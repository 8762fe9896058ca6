/* SPDX-License-Identifier: LGPL-2.1-only */
/* Parses the kernel's tables of mounts and swap spaces. */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One line of /proc/self/mountinfo (proc(5)); the strings point into that line. */
struct mount {
	unsigned id;
	dev_t device;
	char *root;	/* the directory of the file system that is mounted */
	char *where;	/* the mount point */
	char *type;	/* of the file system */
	char *source;	/* the mounted thing, as the file system names it */
	char *options;	/* of the file system, separated by commas, with the kernel's escapes */
	bool read_only; /* the file system itself, not only this mount of it */
};

/* Parses a line of that table, which is changed. Result: whether it is well-formed. */
bool mount_parse(char *line, struct mount *mount);

/* All mounts of a mount namespace, in the kernel's order. Zero at first. */
struct mount_table {
	char *text; /* NULL: not read yet */
	struct mount *mounts;
	size_t count, room;
};

/* Reads the table, unless it has been read. Result: false with errno. */
bool mount_table_read(struct mount_table *table);

/* The same from `path`, which is /proc/PID/mountinfo: that process' mounts. */
bool mount_table_read_from(struct mount_table *table, const char *path);

/* Frees the mounts, and empties the table. */
void mount_table_free(struct mount_table *table);

/*
 * The mount that has the file with this path, which is absolute and without symbolic links: the
 * last one of those with the longest mount point, because it hides the others. NULL if the path
 * is not absolute.
 */
const struct mount *mount_of_path(const struct mount_table *table, const char *path);

/* The mount with that id, or NULL. */
const struct mount *mount_with_id(const struct mount_table *table, unsigned id);

/*
 * Sets `inside` to the path within the file system of the mount, which the absolute path is below.
 * Result: false if it is not below it, or too long.
 */
bool mount_inside(const struct mount *mount, const char *path, char inside[PATH_MAX]);

/* Whether the path is the directory, or below it. */
bool path_is_below(const char *path, const char *directory);

/* Decodes, in place, the kernel's \ooo (octal) for blanks, newlines and backslashes. */
void mount_unescape(char *text);

/*
 * Parses a line of /proc/swaps, which is changed. Result: the path of the file or device, which
 * points into the line, or NULL if the line has none.
 */
char *swap_parse(char *line);

#endif
