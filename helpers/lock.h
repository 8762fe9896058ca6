/* SPDX-License-Identifier: LGPL-2.1-only */
/* Named locks in one file, held by a descriptor that the calling script has opened. */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Milliseconds to wait for a lock: well under the 40 s that libxl gives a script. */
#define LOCK_WAIT_DEFAULT 15000

struct lock {
	int fd;		   /* inherited from the script, open for writing */
	const char *name;  /* what is locked */
	const char *title; /* that for people, quoted where needed; NULL: the quoted name */
	bool shared;	   /* others may share it; `fd` must be open for reading, too */
	bool range;	   /* only these bytes of it are locked: */
	uint64_t start, length;
};

/*
 * Takes the locks. A name is a byte of the file, at an offset that is the name's hash, and for a
 * range of what is named as many bytes as that has begun MiB, in a region that is its hash, locked
 * as an open file description lock (fcntl(2)): it stays with the descriptor after this program has
 * ended and is gone with the last copy of it, however its holders end. Different names do not
 * hinder each other, and there is nothing to clean up. The locks are taken in the order of their
 * offsets, so that two callers with the same names cannot wait for each other; `locks` is sorted to
 * that end. `wait_ms` is for all of them together. Result: STATUS_DONE, or with a complaint
 * STATUS_LATE (which names the holder) or STATUS_FAILED.
 */
int lock_take(struct lock *locks, size_t count, unsigned wait_ms);

/* The byte that stands for `name`: FNV-1a, 62 bits. */
uint64_t lock_offset(const char *name);

/* The bytes that stand for a range of it, behind all of those: the first one and their number. */
void lock_range(const struct lock *lock, uint64_t *first, uint64_t *count);

#endif
