/* SPDX-License-Identifier: LGPL-2.1-only */
/* Finds the process that holds a lock. */
#ifndef HOLDER_H
#define HOLDER_H

#include <stdbool.h>
#include <stdint.h>

/* Room for the description of a holder. */
#define HOLDER_SIZE 320

/*
 * Finds another process that holds a lock on the byte at `offset` of the file open as `fd`, and
 * describes it as "process 812 (/bin/bash /etc/xen/scripts/block add)", escaped. Result: whether
 * one was found; processes of other users and process namespaces are not visible.
 */
bool holder_find(int fd, uint64_t offset, char description[HOLDER_SIZE]);

/*
 * Parses a line of /proc/PID/fdinfo/N (proc(5)), which is changed. Result: whether it shows a lock
 * of an open file description, by fcntl(2) or flock(2), on the byte at `offset` of the file with
 * this inode number. (The number of its file system is not that of stat(2) on all of them.)
 */
bool holder_line_covers(char *line, uint64_t inode, uint64_t offset);

#endif
