/* SPDX-License-Identifier: LGPL-2.1-only */
/* The files that a process has open, found without touching their file systems. */
#ifndef PROCESS_H
#define PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mounts.h"

/* A regular file or block device that a process has open. */
struct open_file {
	bool block;
	dev_t dev;     /* of the file's file system; of a block device, its own number */
	ino_t ino;     /* of a file */
	uint64_t size; /* of a file, in bytes; 0 if its server would have to be asked */
	bool writes;
	char path[PATH_MAX]; /* its name when it was opened, for comparison with a node only */
};

/*
 * Opens /proc/PID. The descriptor stays with this process: when it has ended, nothing more can be
 * read, even if its id is used again. Result: a descriptor, or -1 with errno.
 */
int process_open(pid_t pid);

/*
 * Whether the process of process_open() serves disks: its executable is QEMU or tapdisk, and it
 * runs as root, or has a device of Xen open, which only root can give it (a device model that
 * dropped its privileges). Its arguments are no evidence, because everybody chooses his own.
 */
bool process_serves(int process);

/*
 * Whether the process of process_open() runs a program, and not this one. One that ends does not:
 * it has no program any more, while its files are still to be closed.
 */
bool process_runs_other(int process);

/*
 * Calls `take` for each regular file and block device that the process has open, until it returns
 * false. Never waits for a server: a file on a file system that is not local is identified by its
 * mount and by /proc/PID/fdinfo (from Linux 5.14 on).
 * Result: false with errno if the files cannot be listed, or if `take` returned false.
 */
bool process_each_file(int process, const struct mount_table *table,
	bool (*take)(void *context, const struct open_file *file), void *context);

/* What /proc/PID/fdinfo/N tells of a file. */
struct fdinfo {
	bool has_mount, has_ino;
	unsigned flags; /* of open() */
	unsigned mount;
	uint64_t ino;
};

/* Parses the text of such a file, which is changed. Result: whether it has flags. */
bool fdinfo_parse(char *text, struct fdinfo *info);

#endif
