/* SPDX-License-Identifier: LGPL-2.1-only */
/* The journals that the scripts write: hotplug/common/journal.sh. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "number.h"
#include "textfile.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
/* Of a record. */
#define MOST_FIELDS 999
/* Of a time: what a calendar can still show, the year 9999. */
#define MOST_SECONDS 253402300799ULL
/* Of a journal: a device's is a few KiB. */
#define MOST_BYTES (16 << 20)

bool journal_name_parse(const char *name, struct device *device)
{
	char text[DEVICE_TEXT_SIZE + sizeof(JOURNAL_EMULATED)];
	size_t length = strlen(name), emulated = strlen(JOURNAL_EMULATED);

	/* The types of backends that scripts serve; nbd-1-51712 is another file of ours. */
	if (name[0] != 'v' || length >= sizeof(text))
		return false;
	if (length > emulated && !strcmp(name + length - emulated, JOURNAL_EMULATED))
		length -= emulated;
	snprintf(text, sizeof(text), "%.*s", (int)length, name);
	for (char *dash; (dash = strchr(text, '-'));)
		*dash = '/';
	return device_parse(text, device);
}

/* The field at *at, and moves *at behind it; NULL where none is whole. */
static const char *next_field(const char **at, const char *end)
{
	const char *field = *at;
	const char *nul = field < end ? memchr(field, '\0', (size_t)(end - field)) : NULL;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return field;
}

bool journal_next(const char **at, const char *end, struct record *record)
{
	const char *next = *at, *word = next_field(&next, end), *count = next_field(&next, end);
	unsigned fields;

	if (!word || !count || *count == '0' || !parse_unsigned(count, MOST_FIELDS, &fields))
		return false;
	*record = (struct record){.word = word, .count = fields, .field = next};
	for (size_t i = 0; i < fields; i++)
		if (!next_field(&next, end))
			return false;
	const char *last = next_field(&next, end);
	if (!last || *last)
		return false;
	*at = next;
	return true;
}

const char *record_field(const struct record *record, size_t index)
{
	const char *field = record->field;

	if (index >= record->count)
		return NULL;
	while (index--)
		field += strlen(field) + 1;
	return field;
}

void journal_path(char path[JOURNAL_PATH_SIZE], const struct device *device, const char *suffix)
{
	snprintf(path, JOURNAL_PATH_SIZE, JOURNAL_DIRECTORY "/%s-%u-%u%s", device->type,
		device->domid, device->devid, suffix);
}

const char *journal_latest(const struct journal *journal, const char *key)
{
	const char *at = journal->bytes, *end = at + journal->length, *value = NULL;
	struct record record;

	while (journal_next(&at, end, &record)) {
		const char *name = record.field;

		for (size_t i = 0; strcmp(record.word, "use") != 0 && i + 1 < record.count;
			i += 2) {
			const char *next = name + strlen(name) + 1;

			if (!strcmp(name, key))
				value = next;
			name = next + strlen(next) + 1;
		}
	}
	return value;
}

void journal_head_parse(const char *bytes, size_t length, struct journal_head *head)
{
	const char *at = bytes, *end = bytes + length, *boot, *script;
	struct record record;

	*head = (struct journal_head){.boot = ""};
	if (!journal_next(&at, end, &record) || strcmp(record.word, "format") != 0 ||
		!journal_next(&at, end, &record) || strcmp(record.word, "attach") != 0)
		return;
	boot = record_field(&record, 0);
	script = record_field(&record, 1);
	if (!boot || !script || strlen(boot) >= sizeof(head->boot) ||
		strlen(script) >= sizeof(head->script) || script[0] != '/')
		return;
	snprintf(head->boot, sizeof(head->boot), "%s", boot);
	snprintf(head->script, sizeof(head->script), "%s", script);
	const char *began = record_field(&record, 2);
	unsigned long long seconds;
	if (began && parse_number(began, MOST_SECONDS, &seconds, NULL))
		head->began = (long long)seconds;
}

const char *journal_unknown_format(const struct journal *journal)
{
	const char *at = journal->bytes;
	struct record record;

	if (!journal_next(&at, at + journal->length, &record) ||
		strcmp(record.word, "format") != 0 || !strcmp(record.field, JOURNAL_FORMAT))
		return NULL;
	return record.field;
}

/* Whether it is a regular file that nobody else can have written. */
static bool is_own(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Opens such a file. Result: -1 with errno. */
static int open_own(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || is_own(fd))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

bool journal_read(const char *path, struct journal *journal)
{
	struct stat st;
	size_t used = 0;
	int fd = open_own(path), error = 0;

	*journal = (struct journal){.bytes = NULL};
	if (fd < 0)
		return false;
	if (fstat(fd, &st))
		error = errno;
	else if (st.st_size > MOST_BYTES)
		error = EFBIG;
	else if (!(journal->bytes = malloc((size_t)st.st_size + 1)))
		error = ENOMEM;
	/* Another device's journal may grow while it is read; the rest is for the next reader. */
	while (!error && used < (size_t)st.st_size) {
		ssize_t n = read(fd, journal->bytes + used, (size_t)st.st_size - used);

		if (!n)
			break;
		if (n > 0)
			used += (size_t)n;
		else if (errno != EINTR)
			error = errno;
	}
	close(fd);
	journal->length = used;
	if (error)
		journal_free(journal);
	errno = error;
	return !error;
}

void journal_free(struct journal *journal)
{
	free(journal->bytes);
	*journal = (struct journal){.bytes = NULL};
}

bool journal_head_read(const struct device *device, const char *suffix, struct journal_head *head)
{
	char path[JOURNAL_PATH_SIZE];
	struct journal journal;

	*head = (struct journal_head){.boot = ""};
	journal_path(path, device, suffix);
	if (!journal_read(path, &journal))
		return false;
	journal_head_parse(journal.bytes, journal.length, head);
	journal_free(&journal);
	return true;
}

bool journal_is_current(const struct journal_head *head)
{
	char boot[BOOT_ID_SIZE];

	if (!head->boot[0] || textfile_read(AT_FDCWD, BOOT_ID, boot, sizeof(boot)) < 0)
		return true;
	boot[strcspn(boot, "\n")] = '\0';
	return !strcmp(boot, head->boot);
}
