/* SPDX-License-Identifier: LGPL-2.1-only */
/* Becoming a daemon. */
#ifndef MOCK_DAEMON_H
#define MOCK_DAEMON_H

#include <stdbool.h>

/*
 * Closes all descriptors but the standard ones: a test runner that waits for the end of a pipe
 * must not wait for the daemon.
 */
void daemon_close_inherited(void);

/*
 * Forks. Returns the child's id in the parent, which is to exit; in the child, which is in a
 * session of its own and has no standard input, output and error any more, 0; or -1.
 */
int daemon_fork(void);

/* Writes the process id to the file. Returns false after a message on standard error. */
bool daemon_write_pid(const char *file, int pid);

#endif
