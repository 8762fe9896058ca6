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
	const char *name;  /* of the locked thing */
	const char *title; /* its name in messages, already quoted; NULL: the quoted name */
	bool shared;	   /* a read lock; `fd` must also be open for reading */
	bool range;	   /* lock only these bytes of the named thing */
	uint64_t start, length;
};

/*
 * Takes the locks, and waits for `wait_ms` at most for all of them together.
 *
 * A name stands for one byte of the lock file, at the offset of the name's hash. A range stands for
 * one byte per MiB that it touches, in a region that the hash selects. They are locked as open file
 * description locks (fcntl(2)), so they stay with the descriptor after this program has ended and
 * end with its last copy, even if the holder is killed.
 *
 * `locks` is sorted by offset, so two callers that need the same locks cannot deadlock.
 * Result: STATUS_DONE; STATUS_LATE with a complaint that names the holder; or STATUS_FAILED with a
 * complaint.
 */
int lock_take(struct lock *locks, size_t count, unsigned wait_ms);

/* Takes the lock `name` of the file open as `fd` if nobody has it. Result: whether it is taken. */
bool lock_try(int fd, const char *name);

/* Whether another process has the lock `name` of the file open as `fd`, if only for reading. */
bool lock_is_held(int fd, const char *name);

/* Gives up the lock `name` of the file open as `fd`. Result: STATUS_DONE, or a complaint's. */
int lock_drop(int fd, const char *name);

/* The offset of the byte for `name`: FNV-1a, 62 bits. */
uint64_t lock_offset(const char *name);

/* The bytes for a range, which lie above all offsets of names: the first and their number. */
void lock_range(const struct lock *lock, uint64_t *first, uint64_t *count);

#endif
