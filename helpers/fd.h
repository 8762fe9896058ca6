/* SPDX-License-Identifier: LGPL-2.1-only */
/* What procfs tells of an open descriptor. */
#ifndef FD_H
#define FD_H

#include <stdbool.h>
#include <stddef.h>

/* Room for the name of a descriptor in procfs. */
#define FD_LINK_SIZE 40

/* Sets *link to the name by which procfs has the descriptor. */
void fd_link(int fd, char link[FD_LINK_SIZE]);

/* Reads the path of its file, without symbolic links. Result: false with errno; then it is "". */
bool fd_path(int fd, char *path, size_t size);

/*
 * Opens the file of a descriptor, such as one of O_PATH, again, without its name, and with `flags`
 * and O_CLOEXEC. Result: a descriptor, or -1 with errno.
 */
int fd_reopen(int fd, int flags);

#endif
