/* SPDX-License-Identifier: LGPL-2.1-only */
/* Small text files of /proc and /sys. */
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "number.h"

ssize_t textfile_read(int dir, const char *path, char *text, size_t size)
{
	size_t used = 0;
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (used < size - 1) {
		ssize_t n = read(fd, text + used, size - 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			close(fd);
			return -1;
		}
		if (!n)
			break;
		used += (size_t)n;
	}
	close(fd);
	text[used] = '\0';
	return (ssize_t)used;
}

char *textfile_whole(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		return NULL;
	errno = 0;
	bool read = getdelim(&text, &size, '\0', file) >= 0;
	int error = errno;
	fclose(file);
	if (read)
		return text;
	free(text);
	errno = error;
	return error ? NULL : strdup("");
}

char *textfile_table(const char *path)
{
	char *last = textfile_whole(path);

	while (last) {
		char *now = textfile_whole(path);
		bool same = now && !strcmp(now, last);

		free(last);
		if (same)
			return now;
		last = now;
	}
	return NULL;
}

size_t textfile_split(char *line, char *words[], size_t most)
{
	size_t count = 0;
	char *word;

	while (count < most && (word = strsep(&line, " \t\n")))
		if (*word)
			words[count++] = word;
	return count;
}

bool textfile_number(int dir, const char *path, uint64_t *number)
{
	char text[32];
	unsigned long long value;
	const char *end;

	if (textfile_read(dir, path, text, sizeof(text)) < 0)
		return false;
	if (!parse_number(text, UINT64_MAX, &value, &end) || (*end && *end != '\n'))
		return false;
	*number = value;
	return true;
}

bool textfile_device(int dir, const char *path, dev_t *device)
{
	char text[32];

	return textfile_read(dir, path, text, sizeof(text)) >= 0 && parse_device(text, device);
}
