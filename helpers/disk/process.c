/* SPDX-License-Identifier: LGPL-2.1-only */
/* The files that a process has open, found without touching their file systems. */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "filesystem.h"
#include "number.h"
#include "textfile.h"

/* The first lines are all that is needed. */
#define FDINFO_SIZE 512
#define STATUS_SIZE 4096
#define XEN_DEVICES "/dev/xen/"

int process_open(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Reads a symbolic link. Result: false with errno. */
static bool read_link(int dir, const char *name, char text[PATH_MAX])
{
	ssize_t length = readlinkat(dir, name, text, PATH_MAX - 1);

	if (length < 0)
		return false;
	text[length] = '\0';
	return true;
}

/* Whether the name of the executable contains one of these words. */
static bool runs_server(int process)
{
	char path[PATH_MAX];

	if (!read_link(process, "exe", path))
		return false;
	const char *name = strrchr(path, '/');
	return name && (strstr(name, "qemu") || strstr(name, "tapdisk"));
}

/* Whether all of its user ids are 0. */
static bool is_root(int process)
{
	char text[STATUS_SIZE], *rest = text, *words[5];

	if (textfile_read(process, "status", text, sizeof(text)) < 0)
		return false;
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (strncmp(line, "Uid:", 4) != 0)
			continue;
		size_t count = textfile_split(line, words, 5);
		for (size_t i = 1; i < count; i++)
			if (strcmp(words[i], "0") != 0)
				return false;
		return count == 5;
	}
	return false;
}

/* Opens its directory of descriptors. Result: NULL with errno. */
static DIR *open_descriptors(int process)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *descriptors = fd >= 0 ? fdopendir(fd) : NULL;

	if (!descriptors && fd >= 0)
		close(fd);
	return descriptors;
}

static bool has_xen_device(int process)
{
	DIR *descriptors = open_descriptors(process);
	bool found = false;

	if (!descriptors)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(descriptors));) {
		char path[PATH_MAX];

		found = read_link(dirfd(descriptors), entry->d_name, path) &&
			!strncmp(path, XEN_DEVICES, strlen(XEN_DEVICES));
	}
	closedir(descriptors);
	return found;
}

bool process_serves(int process)
{
	return runs_server(process) && (is_root(process) || has_xen_device(process));
}

bool process_runs_other(int process)
{
	char own[PATH_MAX], other[PATH_MAX];

	return read_link(process, "exe", other) &&
	       !(read_link(AT_FDCWD, "/proc/self/exe", own) && !strcmp(own, other));
}

bool fdinfo_parse(char *text, struct fdinfo *info)
{
	unsigned long long number;
	bool has_flags = false;

	*info = (struct fdinfo){.flags = 0};
	for (char *line; (line = strsep(&text, "\n"));) {
		char *words[3];

		if (textfile_split(line, words, 3) != 2)
			continue;
		if (!strcmp(words[0], "flags:")) {
			char *end;

			errno = 0;
			info->flags = (unsigned)strtoul(words[1], &end, 8);
			has_flags = !errno && end > words[1] && !*end;
		} else if (!strcmp(words[0], "mnt_id:")) {
			info->has_mount = parse_unsigned(words[1], INT32_MAX, &info->mount);
		} else if (!strcmp(words[0], "ino:")) {
			info->has_ino = parse_number(words[1], UINT64_MAX, &number, NULL);
			if (info->has_ino)
				info->ino = number;
		}
	}
	return has_flags;
}

/* What is needed to identify the files of one process. */
struct listing {
	int process;
	int descriptors;		 /* its directory `fd` */
	const struct mount_table *table; /* of this process */
	struct mount_table own;		 /* of that process, if its files are on other mounts */
};

/* Finds a mount by its id, which is unique in the system, in this or in that process' table. */
static const struct mount *find_mount(struct listing *listing, unsigned id)
{
	const struct mount *mount = mount_with_id(listing->table, id);
	char path[64];

	if (mount)
		return mount;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/mountinfo", listing->process);
	if (!mount_table_read_from(&listing->own, path))
		return NULL;
	return mount_with_id(&listing->own, id);
}

/*
 * AT_STATX_DONT_SYNC makes the kernel answer from what it knows (FUSE, NFS, Ceph and CIFS heed it).
 * Result: false if it is no regular file or block device.
 */
static bool ask_file(const struct listing *listing, const char *name, struct open_file *file)
{
	struct statx st;

	if (statx(listing->descriptors, name, AT_STATX_DONT_SYNC,
		    STATX_TYPE | STATX_INO | STATX_SIZE, &st))
		return false;
	file->block = S_ISBLK(st.stx_mode);
	file->dev = file->block ? makedev(st.stx_rdev_major, st.stx_rdev_minor)
				: makedev(st.stx_dev_major, st.stx_dev_minor);
	file->ino = st.stx_ino;
	file->size = st.stx_size;
	return file->block || S_ISREG(st.stx_mode);
}

static bool read_fdinfo(const struct listing *listing, const char *name, struct fdinfo *info)
{
	char path[300], text[FDINFO_SIZE];

	snprintf(path, sizeof(path), "fdinfo/%s", name);
	return textfile_read(listing->process, path, text, sizeof(text)) >= 0 &&
	       fdinfo_parse(text, info);
}

/* Identifies a file whose server may not answer. */
static bool identify_remote(struct listing *listing, const char *name, const struct fdinfo *info,
	struct open_file *file)
{
	const struct mount *mount = info->has_mount ? find_mount(listing, info->mount) : NULL;

	if (!mount || !info->has_ino || !filesystem_is_remote(listing->table, mount))
		return ask_file(listing, name, file);
	file->block = false;
	file->dev = mount->device;
	file->ino = (ino_t)info->ino;
	file->size = 0;
	return true;
}

/*
 * Examines a descriptor. A local file is asked first: that is quick, and btrfs and overlayfs show
 * other numbers than fdinfo. Result: false if it is no regular file or block device.
 */
static bool examine(struct listing *listing, const char *name, struct open_file *file)
{
	const struct mount *mount;
	struct fdinfo info;

	/* A socket, a pipe and the like have no path. */
	if (!read_link(listing->descriptors, name, file->path) || file->path[0] != '/')
		return false;
	mount = mount_of_path(listing->table, file->path);
	bool local = mount && !filesystem_is_remote(listing->table, mount);
	if ((local && !ask_file(listing, name, file)) || !read_fdinfo(listing, name, &info))
		return false;
	file->writes = (info.flags & O_ACCMODE) != O_RDONLY;
	return local || identify_remote(listing, name, &info, file);
}

bool process_each_file(int process, const struct mount_table *table,
	bool (*take)(void *context, const struct open_file *file), void *context)
{
	DIR *descriptors = open_descriptors(process);
	struct listing listing = {.process = process, .table = table};
	struct open_file file;
	bool done = true;

	if (!descriptors)
		return false;
	listing.descriptors = dirfd(descriptors);
	for (struct dirent *entry; done && (entry = readdir(descriptors));)
		if (examine(&listing, entry->d_name, &file))
			done = take(context, &file);
	mount_table_free(&listing.own);
	closedir(descriptors);
	return done;
}
