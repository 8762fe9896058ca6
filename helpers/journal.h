/* SPDX-License-Identifier: LGPL-2.1-only */
/* The journals that the scripts write: hotplug/common/journal.sh. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "disk/device.h"

#define JOURNAL_DIRECTORY "/run/xen-hotplug"
/* What the journal of an emulated interface has behind the device's name. */
#define JOURNAL_EMULATED "-emu"

#define JOURNAL_PATH_SIZE (sizeof(JOURNAL_DIRECTORY) + DEVICE_TEXT_SIZE + sizeof(JOURNAL_EMULATED))

/* Room for an id of /proc/sys/kernel/random/boot_id. */
#define BOOT_ID_SIZE 40

/* Which attach wrote a journal; the fields are empty where it does not say. */
struct journal_head {
	char boot[BOOT_ID_SIZE]; /* the host's boot */
	char script[PATH_MAX];	 /* absolute */
	long long began;	 /* seconds since 1970; 0 where it does not say */
};

/* A journal's bytes, whatever they are. */
struct journal {
	char *bytes;
	size_t length;
};

/* A record of a journal: what happened, and `count` fields, at least one. */
struct record {
	const char *word;
	size_t count;
	const char *field; /* the first; each ends with a NUL, behind which the next one begins */
};

/*
 * Reads a journal; free it with journal_free(). Result: false with errno: ENOENT if there is none,
 * EPERM if it is no file that this user has written, EFBIG if it is too large to be one.
 */
bool journal_read(const char *path, struct journal *journal);

/* Frees what it holds. */
void journal_free(struct journal *journal);

/*
 * Parses the record at *at, and moves *at behind it. Result: false if none is whole before `end`: a
 * record that a kill has truncated is the last one.
 */
bool journal_next(const char **at, const char *end, struct record *record);

/* The field of that index, from 0 on; NULL if the record has fewer. */
const char *record_field(const struct record *record, size_t index);

/*
 * The value that a journal's notes have last for a key; NULL: none. Arguments of resources are no
 * notes.
 */
const char *journal_latest(const struct journal *journal, const char *key);

/* Parses the name of a journal, TYPE-DOMID-DEVID[-emu]. Result: whether it is one. */
bool journal_name_parse(const char *name, struct device *device);

/* The path of a device's journal; `suffix` is "" or JOURNAL_EMULATED. */
void journal_path(char path[JOURNAL_PATH_SIZE], const struct device *device, const char *suffix);

/* Parses the first records of a journal. */
void journal_head_parse(const char *bytes, size_t length, struct journal_head *head);

/*
 * Reads the head of a device's journal; `suffix` is "" or JOURNAL_EMULATED. Result: false with
 * errno: ENOENT if there is none, EPERM if it is no file that this user has written.
 */
bool journal_head_read(const struct device *device, const char *suffix, struct journal_head *head);

/* The format that this version writes. A journal that names none is of format 1. */
#define JOURNAL_FORMAT "2"

/*
 * The format that a journal names, if this version does not know it; else NULL. It may say more
 * than this version would release.
 */
const char *journal_unknown_format(const struct journal *journal);

/* Whether it was written since this host has booted, or does not say. */
bool journal_is_current(const struct journal_head *head);

#endif
