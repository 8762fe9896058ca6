/* SPDX-License-Identifier: LGPL-2.1-only */
/* The lock "block", under which Xen's scripts, and others', check a disk and publish it. */
#ifndef XENLOCK_H
#define XENLOCK_H

/*
 * Takes the lock file `path` in the protocol of Xen's locking.sh (xen.git, tools/hotplug/Linux):
 * flock(2) on a file that still has this name afterwards, since a holder may unlink it. Those
 * scripts lock it exclusively; this program shared, because its own attaches exclude each other by
 * other locks. It ends with the last copy of *fd.
 * Result: STATUS_DONE with *fd; STATUS_LATE after `wait_ms` milliseconds, with a complaint that
 * names the holder, and `what` it is for, already quoted; or STATUS_FAILED with a complaint.
 */
int xenlock_take(const char *path, const char *what, unsigned wait_ms, int *fd);

/* Gives it up: unlinks the file, unless another process has the lock, too, and closes `fd`. */
void xenlock_drop(const char *path, int fd);

#endif
