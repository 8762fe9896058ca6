/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whether the file server of a path answers. */
#ifndef REACHABLE_H
#define REACHABLE_H

#include <stdbool.h>

/* How long a file server may take to answer: less than the deadline of whoever asks. */
#define REACHABLE_MS 8000

/*
 * Looks at what the path leads to, and opens a regular file, in a process that can be ended, if any
 * file system of this host is remote. Result: false if that took longer than REACHABLE_MS.
 */
bool reachable(const char *path);

/* Complains that the server of this image does not answer. Result: STATUS_FAILED. */
int reachable_complain(const char *image);

#endif
