/* SPDX-License-Identifier: LGPL-2.1-only */
/* The image file or block device that becomes a guest's disk. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd.h"
#include "message.h"
#include "number.h"
#include "overlay.h"
#include "reachable.h"
#include "status.h"

#define ANY_WRITE_BIT (S_IWUSR | S_IWGRP | S_IWOTH)

static int complain_missing(const char *target)
{
	char to[PATH_MAX];
	ssize_t length = readlink(target, to, sizeof(to) - 1);

	if (length < 0)
		return complain(STATUS_FAILED,
			"Disk %s does not exist; correct its path in the guest's configuration, "
			"or create it.",
			QUOTED(target));
	to[length] = '\0';
	return complain(STATUS_FAILED,
		"Disk %s is a symbolic link to %s, which does not exist; correct the link, or "
		"create that file.",
		QUOTED(target), QUOTED(to));
}

static int complain_open(const char *target, bool write, int error)
{
	const char *purpose = write ? "for reading and writing" : "for reading";

	switch (error) {
	case ENOENT:
		return complain_missing(target);
	case EACCES:
	case EPERM:
		return complain(STATUS_FAILED,
			"Disk %s cannot be opened %s (%s); check the permissions and attributes "
			"of its path ('namei -l', 'lsattr').",
			QUOTED(target), purpose, strerror(error));
	case EROFS:
		return complain(STATUS_FAILED,
			"Disk %s is on a file system that is mounted read-only; remount that, or "
			"give the disk mode=r.",
			QUOTED(target));
	case ETXTBSY:
		return complain(STATUS_FAILED,
			"Disk %s is in use as swap space or as a running executable (%s); give "
			"the guest another disk.",
			QUOTED(target), strerror(error));
	case ENOMEDIUM:
	case ENXIO:
		return complain(STATUS_FAILED,
			"Disk %s has no device or medium behind it (%s); insert or attach one, "
			"then try again.",
			QUOTED(target), strerror(error));
	default:
		return complain(STATUS_FAILED,
			"Disk %s cannot be opened %s (%s); look at its path with 'namei -l' and "
			"at the kernel's log.",
			QUOTED(target), purpose, strerror(error));
	}
}

static int check_kind(const char *target, struct disk *disk)
{
	disk->file = S_ISREG(disk->stat.st_mode);
	if (disk->file || S_ISBLK(disk->stat.st_mode))
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"Disk %s is a %s; give the path of an image file or a block device.",
		QUOTED(target),
		S_ISDIR(disk->stat.st_mode)    ? "directory"
		: S_ISCHR(disk->stat.st_mode)  ? "character device"
		: S_ISFIFO(disk->stat.st_mode) ? "named pipe"
		: S_ISSOCK(disk->stat.st_mode) ? "socket"
					       : "file of an unknown type");
}

int disk_open_exclusively(const struct disk *disk)
{
	return fd_reopen(disk->handle, O_RDONLY | O_EXCL);
}

/* Finds the disk's path without symbolic links. */
static int find_path(const char *target, struct disk *disk)
{
	if (fd_path(disk->handle, disk->path, sizeof(disk->path)))
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"Cannot find the real path of the disk %s (%s); mount procfs on /proc.",
		QUOTED(target), strerror(errno));
}

static bool is_read_only(const struct disk *disk)
{
	struct statvfs file_system;
	int read_only = 0;

	if (!disk->file)
		return !ioctl(disk->data, BLKROGET, &read_only) && read_only;
	/* Root can write a file without write bits, but its owner has forbidden that. */
	if (!(disk->stat.st_mode & ANY_WRITE_BIT))
		return true;
	return !fstatvfs(disk->data, &file_system) && (file_system.f_flag & ST_RDONLY);
}

static int check_size(const char *target, const struct disk *disk)
{
	uint64_t size = (uint64_t)disk->stat.st_size;

	if (!disk->file && ioctl(disk->data, BLKGETSIZE64, &size))
		return complain(STATUS_FAILED,
			"Cannot read the size of the disk %s (%s); look at the kernel's log.",
			QUOTED(target), strerror(errno));
	if (size >= SECTOR)
		return STATUS_DONE;
	if (!disk->file && !size)
		return complain(STATUS_FAILED,
			"Disk %s has the size 0, so no device or medium is behind it; insert or "
			"attach one, then try again.",
			QUOTED(target));
	return complain(STATUS_FAILED, "Disk %s is %s; give it at least %d bytes.", QUOTED(target),
		size ? "smaller than a sector" : "empty", SECTOR);
}

static int complain_read_only(const char *target, const struct disk *disk)
{
	if (!disk->file)
		return complain(STATUS_FAILED,
			"Disk %s is a read-only device; make it writable with 'blockdev --setrw',"
			" or give the disk mode=r.",
			QUOTED(target));
	if (disk->stat.st_mode & ANY_WRITE_BIT)
		return complain_open(target, true, EROFS);
	return complain(STATUS_FAILED,
		"Disk %s is a read-only file; allow writing with 'chmod u+w', or give the disk "
		"mode=r.",
		QUOTED(target));
}

static int identify(const char *target, struct disk *disk)
{
	const struct file file = {disk->stat.st_dev, disk->stat.st_ino, disk->path};
	struct identity_cache cache = {.partitions = NULL};
	bool done = disk->file ? identity_of_file(&file, &cache, &disk->identity)
			       : identity_of_device(disk->stat.st_rdev, &cache, &disk->identity);
	int error = errno;

	identity_cache_free(&cache);
	if (done)
		return STATUS_DONE;
	if (error == ELOOP)
		return complain(STATUS_FAILED,
			"Disk %s lies on more than %d layers of devices and file systems, or on "
			"itself; compare 'lsblk' and 'findmnt'.",
			QUOTED(target), IDENTITY_DEPTH);
	return complain(STATUS_FAILED,
		"Cannot resolve the disk %s to the devices below it (%s); compare 'lsblk'.",
		QUOTED(target), strerror(error));
}

/*
 * Takes the file of a layer for a file on an overlay, so that it is known by the numbers by which
 * everybody else knows it. A file that is not found in the layers stays as it is.
 */
static int enter_layer(const char *target, int flags, struct disk *disk)
{
	struct mount_table mounts = {.text = NULL};
	int below = mount_table_read(&mounts) ? overlay_open_below(&mounts, disk->handle) : -1;

	mount_table_free(&mounts);
	if (below < 0)
		return STATUS_DONE;
	close(disk->handle);
	close(disk->data);
	disk->handle = below;
	disk->data = fd_reopen(below, flags);
	if (disk->data < 0 || fstat(below, &disk->stat))
		return complain_open(target, flags & O_RDWR, errno);
	return find_path(target, disk);
}

int disk_open(const char *target, bool write, struct disk *disk)
{
	*disk = DISK_CLOSED;
	if (!reachable(target))
		return complain(STATUS_FAILED,
			"Disk %s cannot be opened, because its file server has not answered for %d "
			"s; see whether it is running, then try again.",
			QUOTED(target), REACHABLE_MS / 1000);
	/* O_PATH, because opening a pipe blocks and opening a tape rewinds it. */
	disk->handle = open(target, O_PATH | O_CLOEXEC);
	if (disk->handle < 0 || fstat(disk->handle, &disk->stat))
		return complain_open(target, write, errno);
	if (check_kind(target, disk) || find_path(target, disk))
		return STATUS_FAILED;

	/* This program writes no block device, and closing one after writing wakes udev. */
	bool for_writing = write && disk->file && (disk->stat.st_mode & ANY_WRITE_BIT);
	int flags = for_writing ? O_RDWR : O_RDONLY;
	disk->data = fd_reopen(disk->handle, flags);
	if (disk->data < 0)
		return complain_open(target, write, errno);
	/* An overlay has no device; it has copied the file up by now if it is to be written. */
	if (disk->file && !major(disk->stat.st_dev) && enter_layer(target, flags, disk))
		return STATUS_FAILED;
	disk->read_only = is_read_only(disk);
	if (write && disk->read_only)
		return complain_read_only(target, disk);
	if (check_size(target, disk))
		return STATUS_FAILED;
	return identify(target, disk);
}

void disk_close(struct disk *disk)
{
	if (disk->data >= 0)
		close(disk->data);
	if (disk->handle >= 0)
		close(disk->handle);
	identity_free(&disk->identity);
	*disk = DISK_CLOSED;
}
