/* SPDX-License-Identifier: LGPL-2.1-only */
/* Named locks in one file, held by a descriptor that the calling script has opened. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deadline.h"
#include "holder.h"
#include "message.h"
#include "number.h"
#include "status.h"

#define NAME_BITS 62
/* One byte per MiB, for one PiB; the last byte stands for everything beyond. */
#define RANGE_BITS 30
#define RANGE_UNIT_BITS 20

_Static_assert(sizeof(off_t) == 8, "Offsets of locks have 63 bits: use -D_FILE_OFFSET_BITS=64.");

uint64_t lock_offset(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		hash = (hash ^ *p) * UINT64_C(0x100000001b3);
	return hash & ((UINT64_C(1) << NAME_BITS) - 1);
}

static uint64_t range_unit(uint64_t byte)
{
	uint64_t unit = byte >> RANGE_UNIT_BITS;
	uint64_t last = (UINT64_C(1) << RANGE_BITS) - 1;

	return unit < last ? unit : last;
}

void lock_range(const struct lock *lock, uint64_t *first, uint64_t *count)
{
	uint64_t region = lock_offset(lock->name) >> RANGE_BITS;
	uint64_t end = add_saturated(lock->start, lock->length);
	uint64_t unit = range_unit(lock->start);

	*first = (UINT64_C(1) << NAME_BITS) + (region << RANGE_BITS) + unit;
	*count = range_unit(end ? end - 1 : 0) - unit + 1;
}

static void lock_bytes(const struct lock *lock, uint64_t *first, uint64_t *count)
{
	*first = lock_offset(lock->name);
	*count = 1;
	if (lock->range)
		lock_range(lock, first, count);
}

static int by_offset(const void *a, const void *b)
{
	uint64_t one, other, count;

	lock_bytes(a, &one, &count);
	lock_bytes(b, &other, &count);
	return (one > other) - (one < other);
}

/* The first of the wanted bytes that another process has locked. */
static uint64_t contended(int fd, const struct flock *wanted)
{
	struct flock other = *wanted;

	if (fcntl(fd, F_OFD_GETLK, &other) || other.l_type == F_UNLCK ||
		other.l_start < wanted->l_start)
		return (uint64_t)wanted->l_start;
	return (uint64_t)other.l_start;
}

static int complain_late(const struct lock *lock, const struct flock *wanted, unsigned wait_ms)
{
	const char *title = lock->title ? lock->title : QUOTED(lock->name);
	char holder[HOLDER_SIZE];

	if (!holder_find(lock->fd, contended(lock->fd, wanted), holder))
		return complain(STATUS_LATE,
			"%s has been locked by another process for %g s; wait until the other "
			"hotplug script has ended, then try again.",
			title, wait_ms / 1000.0);
	return complain(STATUS_LATE,
		"%s has been locked by %s for %g s; wait for it or, if it hangs, end it, then try"
		" again.",
		title, holder, wait_ms / 1000.0);
}

static int take_one(const struct lock *lock, unsigned wait_ms)
{
	uint64_t first, count;

	lock_bytes(lock, &first, &count);
	struct flock range = {
		.l_type = lock->shared ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)first,
		.l_len = (off_t)count,
	};

	while (fcntl(lock->fd, F_OFD_SETLKW, &range)) {
		if (errno == EINTR && !deadline_passed())
			continue;
		if (errno == EINTR)
			return complain_late(lock, &range, wait_ms);
		return complain(STATUS_FAILED,
			"Descriptor %d cannot hold the lock %s (%s); it must be a file opened for"
			" reading and writing, on a file system with locks.",
			lock->fd, QUOTED(lock->name), strerror(errno));
	}
	return STATUS_DONE;
}

int lock_take(struct lock *locks, size_t count, unsigned wait_ms)
{
	int status = STATUS_DONE;

	wait_ms = deadline_within(wait_ms);
	if (count)
		qsort(locks, count, sizeof(*locks), by_offset);
	deadline_interrupt(wait_ms);
	for (size_t i = 0; i < count && !status; i++)
		status = take_one(&locks[i], wait_ms);
	deadline_clear();
	return status;
}

/* The byte of a name, to lock or unlock it. */
static struct flock byte_of(const char *name, short type)
{
	return (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)lock_offset(name),
		.l_len = 1,
	};
}

bool lock_try(int fd, const char *name)
{
	struct flock byte = byte_of(name, F_WRLCK);

	return !fcntl(fd, F_OFD_SETLK, &byte);
}

bool lock_is_held(int fd, const char *name)
{
	struct flock byte = byte_of(name, F_WRLCK);

	return !fcntl(fd, F_OFD_GETLK, &byte) && byte.l_type != F_UNLCK;
}

int lock_drop(int fd, const char *name)
{
	struct flock byte = byte_of(name, F_UNLCK);

	if (!fcntl(fd, F_OFD_SETLK, &byte))
		return STATUS_DONE;
	return complain(STATUS_FAILED, "Descriptor %d cannot give up the lock %s (%s).", fd,
		QUOTED(name), strerror(errno));
}
