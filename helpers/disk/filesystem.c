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

static bool is_one_of(const char *name, const char *const names[])
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

bool filesystem_is_remote(const struct mount *mount)
{
	/* On a block device, but served by a process, or locked by other hosts. */
	static const char *const remote[] = {"fuseblk", "gfs2", "ocfs2", NULL};
	static const char *const local[] = {"autofs", "bcachefs", "binfmt_misc", "bpf", "btrfs",
		"cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
		"fusectl", "hugetlbfs", "mqueue", "nfsd", "nsfs", "overlay", "proc", "pstore",
		"ramfs", "resctrl", "rootfs", "rpc_pipefs", "securityfs", "selinuxfs", "smackfs",
		"sysfs", "tmpfs", "tracefs", "xenfs", "zfs", NULL};

	return major(mount->device) && strncmp(mount->type, "fuseblk.", 8) != 0
		       ? is_one_of(mount->type, remote)
		       : !is_one_of(mount->type, local);
}

bool filesystem_has_remote(const struct mount_table *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (filesystem_is_remote(&mounts->mounts[i]))
			return true;
	return false;
}

bool filesystem_is_remote_path(
	const struct mount_table *mounts, const char *path, const struct mount *except)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *mount = &mounts->mounts[i];

		if (path_is_below(path, mount->where) && filesystem_is_remote(mount) &&
			(!except || except->device != mount->device))
			return true;
	}
	return false;
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
