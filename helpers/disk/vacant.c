/* SPDX-License-Identifier: LGPL-2.1-only */
/* Remembers that no guest has any of some block devices, because the store is slow to say so. */
#include "vacant.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "lock.h"

/* Guests of other scripts are overlooked for so long. */
#define VALID_MS 60000
/* More file systems than a host has images on. */
#define NOTES 64

/* A note as it is in the file, which is in memory and ends with the host. */
struct note {
	uint64_t key;
	uint64_t time_ms; /* of CLOCK_BOOTTIME */
};

static uint64_t boot_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The result is the same in any order of the devices. */
uint64_t vacant_key(const struct relatives *relatives)
{
	uint64_t key = 0;

	for (size_t i = 0; i < relatives->count; i++) {
		uint64_t number = relatives->all[i].number;

		if (relatives->all[i].overlap.direct)
			continue;
		number = (number ^ number >> 33) * 0xff51afd7ed558ccdULL;
		key += (number ^ number >> 33) * 0xc4ceb9fe1a85ec53ULL;
	}
	return key;
}

static bool is_valid(const struct note *note, uint64_t now)
{
	return note->time_ms && note->time_ms <= now && now - note->time_ms < VALID_MS;
}

/* Reads the notes that there are. Those of another version or boot are not valid. */
static void read_notes(int fd, struct note notes[NOTES])
{
	memset(notes, 0, NOTES * sizeof(*notes));
	if (pread(fd, notes, NOTES * sizeof(*notes), 0) < 0)
		memset(notes, 0, NOTES * sizeof(*notes));
}

bool vacant_recall(int fd, uint64_t key)
{
	struct note notes[NOTES];
	uint64_t now = boot_ms();

	if (fd < 0)
		return false;
	read_notes(fd, notes);
	for (size_t i = 0; i < NOTES; i++)
		if (notes[i].key == key && is_valid(&notes[i], now))
			return true;
	return false;
}

static bool lock_notes(int fd, short type)
{
	struct flock byte = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)lock_offset(VACANT_LOCK),
		.l_len = 1,
	};

	return !fcntl(fd, F_OFD_SETLK, &byte);
}

bool vacant_begin(int fd)
{
	return fd >= 0 && lock_notes(fd, F_WRLCK);
}

static void write_note(int fd, uint64_t key)
{
	struct note notes[NOTES], own = {.key = key, .time_ms = boot_ms()};
	size_t at = 0;

	read_notes(fd, notes);
	while (at < NOTES && is_valid(&notes[at], own.time_ms) && notes[at].key != key)
		at++;
	/* Without room or memory, the next claim reads the store again. */
	if (at < NOTES && pwrite(fd, &own, sizeof(own), (off_t)(at * sizeof(own))) < 0)
		vacant_forget(fd);
}

void vacant_end(int fd, uint64_t key, bool vacant)
{
	if (vacant)
		write_note(fd, key);
	/* Shared, because an earlier claim of the same script may need the lock. */
	lock_notes(fd, F_RDLCK);
}

void vacant_forget(int fd)
{
	if (fd >= 0 && ftruncate(fd, 0))
		return;
}
