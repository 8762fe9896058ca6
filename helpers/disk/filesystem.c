/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the file system of a file lies on. */
#include "filesystem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd.h"
#include "overlay.h"
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

/* Whether a file system is remote by its type alone. */
static bool has_remote_type(const struct mount *mount)
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

bool filesystem_is_opaque(const struct mount *mount)
{
	return !strcmp(mount->type, "overlay") || has_remote_type(mount);
}

/* A place in stacks of overlays. */
struct place {
	const struct mount_table *mounts;
	const struct mount *except; /* or NULL */
	unsigned depth;
};

static bool is_remote_path(const struct place *place, const char *path);

static bool is_local_layer(const char *layer, void *context)
{
	struct place below = *(const struct place *)context;

	below.depth++;
	/* A table of mounts that hide one another can name an overlay as its own layer. */
	return layer[0] == '/' && below.depth < OVERLAYS && !is_remote_path(&below, layer);
}

static bool is_remote(const struct place *place, const struct mount *mount)
{
	if (!strcmp(mount->type, "overlay"))
		return !overlay_each_layer(mount->options, is_local_layer, (void *)place);
	return has_remote_type(mount);
}

static bool is_remote_path(const struct place *place, const char *path)
{
	for (size_t i = 0; i < place->mounts->count; i++) {
		const struct mount *mount = &place->mounts->mounts[i];

		if (path_is_below(path, mount->where) &&
			(!place->except || place->except->device != mount->device) &&
			is_remote(place, mount))
			return true;
	}
	return false;
}

bool filesystem_is_remote(const struct mount_table *mounts, const struct mount *mount)
{
	return is_remote(&(struct place){.mounts = mounts}, mount);
}

bool filesystem_has_remote(const struct mount_table *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (filesystem_is_remote(mounts, &mounts->mounts[i]))
			return true;
	return false;
}

bool filesystem_is_remote_path(
	const struct mount_table *mounts, const char *path, const struct mount *except)
{
	return is_remote_path(&(struct place){.mounts = mounts, .except = except}, path);
}

/* Opens the file with that path, if it is still this one. Result: a descriptor or -1. */
static int open_same(const struct file *file)
{
	int fd = open(file->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && st.st_dev == file->dev && st.st_ino == file->ino)
		return fd;
	close(fd);
	return -1;
}

/* Takes the file `fd` for the file. */
static void take_file(int fd, char *path, size_t size, struct file *file)
{
	struct stat st;

	fd_path(fd, path, size);
	if (fstat(fd, &st))
		return;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
}

void filesystem_to_layer(struct mount_table *mounts, char *path, size_t size, struct file *file)
{
	int own, below;

	if (!mount_table_read(mounts))
		return;
	const struct mount *mount = mount_of_path(mounts, path);
	if (!mount || strcmp(mount->type, "overlay") != 0 ||
		filesystem_is_remote_path(mounts, path, NULL))
		return;
	own = open_same(file);
	below = own < 0 ? -1 : overlay_open_below(mounts, own);
	if (below >= 0)
		take_file(below, path, size, file);
	if (own >= 0)
		close(own);
	if (below >= 0)
		close(below);
}

bool filesystem_each_device_of(
	const struct mount *mount, bool (*each)(dev_t device, void *context), void *context)
{
	struct stat source;

	if (major(mount->device))
		return each(mount->device, context);
	/* It has no device number of its own; the source is one of its members. */
	if (strcmp(mount->type, "btrfs") != 0 || stat(mount->source, &source) ||
		!S_ISBLK(source.st_mode))
		return true;
	return each_of_btrfs(source.st_rdev, each, context);
}

bool filesystem_each_device(const struct file *file, struct mount_table *mounts,
	bool (*each)(dev_t device, void *context), void *context)
{
	if (major(file->dev))
		return each(file->dev, context);
	if (!file->path[0])
		return true;
	if (!mount_table_read(mounts))
		return false;
	const struct mount *mount = mount_of_path(mounts, file->path);
	return !mount || major(mount->device) || filesystem_each_device_of(mount, each, context);
}
