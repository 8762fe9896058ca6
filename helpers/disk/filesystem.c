/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the file system of a file lies on. */
#include "filesystem.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "textfile.h"

#define BTRFS "/sys/fs/btrfs"

/* Calls `each` for each member of the btrfs whose directory in sysfs has that name. */
static bool each_member(const char *name, bool (*each)(dev_t device, void *context), void *context)
{
	char path[512];
	bool go_on = true;

	snprintf(path, sizeof(path), BTRFS "/%s/devices", name);
	DIR *directory = opendir(path);
	if (!directory)
		return true;
	for (struct dirent *entry; go_on && (entry = readdir(directory));) {
		dev_t member;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/dev", entry->d_name);
		if (textfile_device(dirfd(directory), path, &member))
			go_on = each(member, context);
	}
	closedir(directory);
	return go_on;
}

static bool is_other(dev_t device, void *context)
{
	return device != *(dev_t *)context;
}

/* Calls `each` for all devices of the btrfs that has the device as a member. */
static bool each_of_btrfs(dev_t source, bool (*each)(dev_t device, void *context), void *context)
{
	bool found = false, go_on = true;
	DIR *directory = opendir(BTRFS);

	for (struct dirent *entry; directory && !found && (entry = readdir(directory));) {
		if (entry->d_name[0] == '.' || each_member(entry->d_name, is_other, &source))
			continue;
		found = true;
		go_on = each_member(entry->d_name, each, context);
	}
	if (directory)
		closedir(directory);
	return found ? go_on : each(source, context);
}

bool filesystem_each_device(dev_t dev, const char *path, struct mount_table *mounts,
	bool (*each)(dev_t device, void *context), void *context)
{
	struct stat source;

	if (major(dev))
		return each(dev, context);
	if (!path[0])
		return true;
	if (!mount_table_read(mounts))
		return false;
	const struct mount *mount = mount_of_path(mounts, path);
	/* Each subvolume has a device number of its own; the source is one of the members. */
	if (!mount || strcmp(mount->type, "btrfs") != 0 || stat(mount->source, &source) ||
		!S_ISBLK(source.st_mode))
		return true;
	return each_of_btrfs(source.st_rdev, each, context);
}
