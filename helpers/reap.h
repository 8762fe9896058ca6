/* SPDX-License-Identifier: LGPL-2.1-only */
/* Waits for processes to die: never for ever, because the kernel may not let one die. */
#ifndef REAP_H
#define REAP_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Waits until a child has ended, for at most `ms` milliseconds. `pidfd` is its own, or -1. Result:
 * whether it has, and is reaped; then *status is as of waitpid(2), else it is unchanged.
 */
bool reap_within(pid_t child, int pidfd, int ms, int *status);

/*
 * Kills a process group, and reaps those of it that are this process' children, or come to it as
 * orphans, for at most `ms` milliseconds. Result: whether none of these is left.
 */
bool reap_group(pid_t group, int ms);

#endif
