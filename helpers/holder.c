/* SPDX-License-Identifier: LGPL-2.1-only */
/* Finds the holder of a lock in /proc/PID/fdinfo: /proc/locks shows no PID for these locks. */
#include "holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "message.h"
#include "number.h"
#include "textfile.h"

/* An fdinfo file has a few lines, and one for each lock. */
#define FDINFO_SIZE 65536
#define COMMAND_LINE_LIMIT 256

/* `text` is MAJOR:MINOR:INODE. */
static bool is_inode(const char *text, uint64_t inode)
{
	const char *colon = strrchr(text, ':');
	unsigned long long number;

	return colon && parse_number(colon + 1, UINT64_MAX, &number, NULL) && number == inode;
}

bool holder_line_covers(char *line, uint64_t inode, uint64_t offset)
{
	/* "lock:\t1: OFDLCK  ADVISORY  WRITE -1 00:16:1048 100 100"; the end can be "EOF". */
	enum { HEADING, NUMBER, KIND, MODE, ACCESS, PID, INODE, FIRST, LAST, WORDS };
	char *words[WORDS];
	unsigned long long first, last;

	if (textfile_split(line, words, WORDS) < WORDS || strcmp(words[HEADING], "lock:") != 0 ||
		(strcmp(words[KIND], "OFDLCK") != 0 && strcmp(words[KIND], "FLOCK") != 0))
		return false;
	if (!is_inode(words[INODE], inode) ||
		!parse_number(words[FIRST], UINT64_MAX, &first, NULL) || first > offset)
		return false;
	if (!strcmp(words[LAST], "EOF"))
		return true;
	return parse_number(words[LAST], UINT64_MAX, &last, NULL) && last >= offset;
}

static bool fdinfo_covers(const char *path, uint64_t inode, uint64_t offset)
{
	char text[FDINFO_SIZE];
	char *rest = text;

	if (textfile_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (holder_line_covers(line, inode, offset))
			return true;
	return false;
}

/* The file of a lock. Asking a file of another process could wait for its server. */
struct locked {
	char path[PATH_MAX];
	uint64_t inode, offset;
};

/* Reads the path of a descriptor. Result: false if it has none. */
static bool read_path(int dir, const char *descriptor, char path[PATH_MAX])
{
	ssize_t length = readlinkat(dir, descriptor, path, PATH_MAX - 1);

	path[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* Whether a descriptor can be the file: other mounts show it in other directories. */
static bool has_name(int dir, const char *descriptor, const struct locked *locked)
{
	const char *name = strrchr(locked->path, '/'), *other;
	char path[PATH_MAX];

	if (!read_path(dir, descriptor, path))
		return false;
	other = strrchr(path, '/');
	return name && other && !strcmp(name, other);
}

static bool process_holds(const char *pid, const struct locked *locked)
{
	char path[600];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	DIR *descriptors = opendir(path);
	if (!descriptors)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(descriptors));) {
		if (!has_name(dirfd(descriptors), entry->d_name, locked))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, entry->d_name);
		found = fdinfo_covers(path, locked->inode, locked->offset);
	}
	closedir(descriptors);
	return found;
}

static void describe(const char *pid, char description[HOLDER_SIZE])
{
	char path[300], raw[COMMAND_LINE_LIMIT + 8], text[COMMAND_LINE_LIMIT + 4] = "?";

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	ssize_t length = textfile_read(AT_FDCWD, path, raw, sizeof(raw));
	while (length > 0 && !raw[length - 1])
		length--;
	for (ssize_t i = 0; i < length; i++)
		if (!raw[i])
			raw[i] = ' ';
	if (length > 0)
		escape(text, COMMAND_LINE_LIMIT, raw, (size_t)length, ESCAPE_TEXT);
	snprintf(description, HOLDER_SIZE, "process %.10s (%s)", pid, text);
}

bool holder_find(int fd, uint64_t offset, char description[HOLDER_SIZE])
{
	struct locked locked = {.offset = offset};
	bool found = false;
	struct stat st;

	if (fstat(fd, &st) || !fd_path(fd, locked.path, sizeof(locked.path)))
		return false;
	locked.inode = st.st_ino;
	DIR *processes = opendir("/proc");
	if (!processes)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(processes));) {
		unsigned pid;

		if (!parse_unsigned(entry->d_name, INT32_MAX, &pid) || (pid_t)pid == getpid())
			continue;
		found = process_holds(entry->d_name, &locked);
		if (found)
			describe(entry->d_name, description);
	}
	closedir(processes);
	return found;
}
