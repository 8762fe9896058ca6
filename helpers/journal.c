/* SPDX-License-Identifier: LGPL-2.1-only */
/* The journals that the scripts write: hotplug/common/journal.sh. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "textfile.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
/* The first two records. */
#define HEAD_SIZE (PATH_MAX + 256)

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

/* A record is its word, the number of its fields, these, and an empty one. */
static bool next_record(
	const char **at, const char *end, const char *word, const char *fields[], size_t most)
{
	const char *name = next_field(at, end), *count = next_field(at, end);
	size_t fields_count;

	if (!name || !count || strcmp(name, word) != 0 || strlen(count) != 1 || count[0] < '1' ||
		count[0] > '9')
		return false;
	fields_count = (size_t)(count[0] - '0');
	for (size_t i = 0; i < fields_count; i++) {
		const char *field = next_field(at, end);

		if (!field)
			return false;
		if (i < most)
			fields[i] = field;
	}
	const char *last = next_field(at, end);
	return last && !*last && fields_count >= most;
}

void journal_head_parse(const char *bytes, size_t length, struct journal_head *head)
{
	const char *at = bytes, *end = bytes + length, *fields[2];

	*head = (struct journal_head){.boot = ""};
	if (!next_record(&at, end, "format", fields, 1) ||
		!next_record(&at, end, "attach", fields, 2))
		return;
	if (strlen(fields[0]) >= sizeof(head->boot) || strlen(fields[1]) >= sizeof(head->script) ||
		fields[1][0] != '/')
		return;
	snprintf(head->boot, sizeof(head->boot), "%s", fields[0]);
	snprintf(head->script, sizeof(head->script), "%s", fields[1]);
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

bool journal_head_read(const struct device *device, const char *suffix, struct journal_head *head)
{
	char path[sizeof(JOURNAL_DIRECTORY) + DEVICE_TEXT_SIZE + 8], bytes[HEAD_SIZE];

	*head = (struct journal_head){.boot = ""};
	snprintf(path, sizeof(path), JOURNAL_DIRECTORY "/%s-%u-%u%s", device->type, device->domid,
		device->devid, suffix);
	int fd = open_own(path);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, bytes, sizeof(bytes));
	int error = errno;
	close(fd);
	if (n >= 0)
		journal_head_parse(bytes, (size_t)n, head);
	errno = error;
	return n >= 0;
}

bool journal_is_current(const struct journal_head *head)
{
	char boot[BOOT_ID_SIZE];

	if (!head->boot[0] || textfile_read(AT_FDCWD, BOOT_ID, boot, sizeof(boot)) < 0)
		return true;
	boot[strcspn(boot, "\n")] = '\0';
	return !strcmp(boot, head->boot);
}
