/* SPDX-License-Identifier: LGPL-2.1-only */
/* Block devices by number, from sysfs. */
#include "blockdev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "message.h"
#include "number.h"
#include "textfile.h"

#define SYSFS_PATH_SIZE 384

static void sysfs_path(char path[SYSFS_PATH_SIZE], dev_t number, const char *file)
{
	snprintf(path, SYSFS_PATH_SIZE, "/sys/dev/block/%u:%u/%s", major(number), minor(number),
		file);
}

static bool sysfs_has(dev_t number, const char *file)
{
	char path[SYSFS_PATH_SIZE];

	sysfs_path(path, number, file);
	return !access(path, F_OK);
}

static bool sysfs_number(dev_t number, const char *file, uint64_t *value)
{
	char path[SYSFS_PATH_SIZE];

	sysfs_path(path, number, file);
	return textfile_number(AT_FDCWD, path, value);
}

/* The same for a number of sectors, converted to bytes. */
static bool sysfs_sectors(dev_t number, const char *file, uint64_t *bytes)
{
	uint64_t sectors;

	return sysfs_number(number, file, &sectors) && sectors_to_bytes(sectors, bytes);
}

bool blockdev_name(dev_t number, char name[BLOCKDEV_NAME_SIZE])
{
	static const char key[] = "DEVNAME=";
	char path[SYSFS_PATH_SIZE], text[4096];
	char *rest = text;

	sysfs_path(path, number, "uevent");
	if (textfile_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line += strlen(key);
		if (!*line || strlen(line) >= BLOCKDEV_NAME_SIZE)
			return false;
		memcpy(name, line, strlen(line) + 1);
		return true;
	}
	return false;
}

int blockdev_open(dev_t number, int flags)
{
	char name[BLOCKDEV_NAME_SIZE], path[BLOCKDEV_NAME_SIZE + 8];
	struct stat st;

	if (!blockdev_name(number, name)) {
		errno = ENODEV;
		return -1;
	}
	snprintf(path, sizeof(path), "/dev/%s", name);
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* Race: the name can belong to another device by now. */
	if (!fstat(fd, &st) && S_ISBLK(st.st_mode) && st.st_rdev == number)
		return fd;
	close(fd);
	errno = ENODEV;
	return -1;
}

bool blockdev_partition(dev_t number, dev_t *whole, uint64_t *start, uint64_t *length)
{
	char path[SYSFS_PATH_SIZE];
	dev_t parent;

	if (!sysfs_has(number, "partition"))
		return false;
	/* The kernel follows the link before the two dots, so they name the disk's directory. */
	sysfs_path(path, number, "../dev");
	if (!textfile_device(AT_FDCWD, path, &parent) || parent == number)
		return false;
	if (!sysfs_sectors(number, "start", start) || !sysfs_sectors(number, "size", length))
		return false;
	*whole = parent;
	return true;
}

bool blockdev_each_partition(
	dev_t whole, bool (*each)(dev_t partition, void *context), void *context)
{
	char path[SYSFS_PATH_SIZE];
	bool go_on = true;

	sysfs_path(path, whole, "");
	DIR *directory = opendir(path);
	if (!directory)
		return true;
	for (struct dirent *entry; go_on && (entry = readdir(directory));) {
		dev_t partition;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/partition", entry->d_name);
		if (faccessat(dirfd(directory), path, F_OK, 0))
			continue;
		snprintf(path, sizeof(path), "%s/dev", entry->d_name);
		if (textfile_device(dirfd(directory), path, &partition))
			go_on = each(partition, context);
	}
	closedir(directory);
	return go_on;
}

static bool is_link(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Calls `each` for each device in `links`, a directory of symbolic links. */
static bool each_linked(
	dev_t number, const char *links, bool (*each)(dev_t linked, void *context), void *context)
{
	char path[SYSFS_PATH_SIZE];
	bool go_on = true;

	sysfs_path(path, number, links);
	DIR *directory = opendir(path);
	/* A partition has no such directory, and a removed device has none at all. */
	if (!directory)
		return errno == ENOENT || errno == ENOTDIR;
	for (struct dirent *entry; go_on && (entry = readdir(directory));) {
		dev_t linked;

		snprintf(path, sizeof(path), "%s/dev", entry->d_name);
		if (is_link(entry) && textfile_device(dirfd(directory), path, &linked))
			go_on = each(linked, context);
	}
	int error = errno;
	closedir(directory);
	errno = error;
	return go_on;
}

bool blockdev_each_slave(dev_t number, bool (*each)(dev_t slave, void *context), void *context)
{
	return each_linked(number, "slaves", each, context);
}

bool blockdev_each_holder(dev_t number, bool (*each)(dev_t holder, void *context), void *context)
{
	return each_linked(number, "holders", each, context);
}

bool blockdev_read_only(dev_t number)
{
	uint64_t read_only;

	return sysfs_number(number, "ro", &read_only) && read_only;
}

bool blockdev_is_dm(dev_t number)
{
	return sysfs_has(number, "dm");
}

/* Adds device-mapper's name, if there is one: "dm-0 (vg-root)". */
static void describe_name(const char *name, char *description, size_t size)
{
	char path[SYSFS_PATH_SIZE], raw[160], title[4 * 160];

	snprintf(path, sizeof(path), "/sys/block/%s/dm/name", name);
	ssize_t length = textfile_read(AT_FDCWD, path, raw, sizeof(raw));
	if (length <= 1) {
		snprintf(description, size, "%s", name);
		return;
	}
	escape(title, sizeof(title) - 4, raw, strcspn(raw, "\n"), ESCAPE_TEXT);
	snprintf(description, size, "%s (%s)", name, title);
}

void blockdev_describe(dev_t number, char *description, size_t size)
{
	char name[BLOCKDEV_NAME_SIZE];

	if (!blockdev_name(number, name))
		snprintf(name, sizeof(name), "%u:%u", major(number), minor(number));
	describe_name(name, description, size);
}
