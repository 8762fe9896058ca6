/* SPDX-License-Identifier: LGPL-2.1-only */
/* Loop devices. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "blockdev.h"
#include "deadline.h"
#include "message.h"
#include "number.h"
#include "status.h"
#include "textfile.h"

/* How long to retry if other processes take each free device first. */
#define ATTACH_MS 5000
#define ATTACH_PAUSE_NS 1000000

/* Makes one ioctl on `fd`, the result of open(), and closes it. Result: an errno, or 0. */
static int ioctl_once(int fd, unsigned long request, void *argument)
{
	int error = fd < 0 || ioctl(fd, request, argument) ? errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

bool loop_status(dev_t number, struct loop_info64 *info)
{
	errno = ioctl_once(blockdev_open(number, O_RDONLY | O_NONBLOCK), LOOP_GET_STATUS64, info);
	return !errno;
}

bool loop_file(dev_t number, char path[LOOP_FILE_SIZE])
{
	char name[64];

	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/loop/backing_file", major(number),
		minor(number));
	ssize_t length = textfile_read(AT_FDCWD, name, path, LOOP_FILE_SIZE);
	if (length > 0 && path[length - 1] == '\n')
		length--;
	path[length > 0 ? length : 0] = '\0';
	return length > 0;
}

bool loop_file_undelete(char path[LOOP_FILE_SIZE])
{
	static const char deleted[] = " (deleted)";
	size_t length = strlen(path), more = strlen(deleted);

	if (length <= more || strcmp(path + length - more, deleted) != 0)
		return false;
	path[length - more] = '\0';
	return true;
}

/* A number from sysfs, or 0. */
static uint64_t sysfs_number(dev_t number, const char *file)
{
	char path[64];
	uint64_t value;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(number), minor(number), file);
	return textfile_number(AT_FDCWD, path, &value) ? value : 0;
}

uint64_t loop_file_size(dev_t number)
{
	uint64_t size;

	if (sysfs_number(number, "loop/sizelimit") ||
		!sectors_to_bytes(sysfs_number(number, "size"), &size))
		return 0;
	return add_saturated(size, sysfs_number(number, "loop/offset"));
}

int loop_ask_path(const char *path, struct loop_info64 *info)
{
	return ioctl_once(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), LOOP_GET_STATUS64, info);
}

/*
 * Whether the device has a size. The kernel gives it the size 0 if it cannot ask the file's server,
 * and calls that a success.
 */
static bool has_size(int fd)
{
	uint64_t size;

	return !ioctl(fd, BLKGETSIZE64, &size) && size;
}

/* Attaches to one free device. Result: a negative errno, or 0; -ENODATA if the size is 0. */
static int attach_once(int control, const struct loop_config *config, bool writable,
	char path[LOOP_PATH_SIZE], dev_t *number)
{
	struct stat st;
	int result = 0;
	int free_number = ioctl(control, LOOP_CTL_GET_FREE);

	if (free_number < 0)
		return -errno;
	snprintf(path, LOOP_PATH_SIZE, "/dev/loop%d", free_number);
	int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || ioctl(fd, LOOP_CONFIGURE, config))
		result = -errno;
	else if (!has_size(fd))
		result = ioctl(fd, LOOP_CLR_FD) ? -errno : -ENODATA;
	else
		*number = st.st_rdev;
	close(fd);
	return result;
}

static int complain_attach(int error, const char *path)
{
	switch (error) {
	case ENODEV:
	case ENOSPC:
		return complain(STATUS_FAILED,
			"There is no free loop device (%s); detach some with 'losetup -d', or "
			"raise the loop module's parameter max_loop.",
			strerror(error));
	case EBUSY:
		return complain(STATUS_FAILED,
			"Lost the race for a free loop device for %d s; find the other programs "
			"with 'losetup -l' and 'lsof %s', then try again.",
			ATTACH_MS / 1000, path);
	case ENODATA:
		return complain(STATUS_FAILED,
			"The kernel attached the file to '%s' with the size 0, because it could "
			"not ask the file server for it; check that server, then try again.",
			path);
	case EINVAL:
	case ENOTTY:
		return complain(STATUS_FAILED,
			"The kernel cannot attach a file to '%s' in one step (%s); it needs Linux"
			" 5.8 or later.",
			path, strerror(error));
	default:
		return complain(STATUS_FAILED,
			"Cannot attach the file to the loop device '%s' (%s); look at the "
			"kernel's log.",
			path, strerror(error));
	}
}

static int complain_control(int error)
{
	return complain(STATUS_FAILED,
		"Cannot open '/dev/loop-control' (%s); load the kernel's module for loop devices "
		"with 'modprobe loop', as root.",
		strerror(error));
}

/*
 * Whether the device should bypass the page cache, so that a guest's data is cached once and a
 * completed write is on the disk. The kernel falls back to the cache by itself. Network file
 * systems and btrfs have no block device number and are excluded: a retransmitted write can read
 * pages that already belong to the guest again (xl-disk-configuration(5), direct-io-safe), and
 * btrfs checksums fail if the guest changes a page during the write.
 */
static bool wants_direct_io(int image)
{
	struct stat st;

	return !fstat(image, &st) && major(st.st_dev);
}

/*
 * The sector size is always 512. With direct I/O the kernel would choose that of the disk below,
 * such as 4096, and the guest's partition table would then name other bytes.
 */
static struct loop_config configuration(int image, bool writable, const char tag[TAG_SIZE])
{
	struct loop_config config = {.fd = (__u32)image, .block_size = SECTOR};

	if (!writable)
		config.info.lo_flags |= LO_FLAGS_READ_ONLY;
	if (wants_direct_io(image))
		config.info.lo_flags |= LO_FLAGS_DIRECT_IO;
	memcpy(config.info.lo_file_name, tag, TAG_SIZE);
	return config;
}

int loop_attach(int image, bool writable, const char tag[TAG_SIZE], char path[LOOP_PATH_SIZE],
	dev_t *number)
{
	const struct timespec pause = {.tv_nsec = ATTACH_PAUSE_NS};
	const struct loop_config config = configuration(image, writable, tag);
	long long end = now_ms() + ATTACH_MS;
	int result;

	path[0] = '\0';
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return complain_control(errno);
	while ((result = attach_once(control, &config, writable, path, number)) == -EBUSY &&
		now_ms() < end)
		nanosleep(&pause, NULL);
	close(control);
	return result ? complain_attach(-result, path) : STATUS_DONE;
}

int loop_resize(const struct loop *loop)
{
	int error = ioctl_once(open(loop->path, O_RDONLY | O_CLOEXEC), LOOP_SET_CAPACITY, NULL);

	if (!error)
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"Cannot set the size of the loop device '%s' to that of its file (%s); run "
		"'losetup -c %s'.",
		loop->path, strerror(error), loop->path);
}

static bool is_same(const struct loop_info64 *info, const struct loop *loop)
{
	return info->lo_device == loop->info.lo_device && info->lo_inode == loop->info.lo_inode &&
	       !memcmp(info->lo_file_name, loop->info.lo_file_name, LO_NAME_SIZE);
}

int loop_detach(const struct loop *loop, bool *detached)
{
	int fd = open(loop->path, O_RDONLY | O_CLOEXEC);
	struct loop_info64 info;
	int error = 0;

	*detached = false;
	if (fd < 0 || (!loop->ended && ioctl(fd, LOOP_GET_STATUS64, &info))) {
		error = errno;
	} else if (loop->ended || is_same(&info, loop)) {
		*detached = !ioctl(fd, LOOP_CLR_FD);
		error = *detached ? 0 : errno;
	}
	if (fd >= 0)
		close(fd);
	/* No file any more: it is already detached. */
	if (!error || error == ENXIO || error == ENODEV || error == ENOENT)
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"Cannot detach the loop device '%s' (%s); find its user with 'lsof %s', then run "
		"'losetup -d %s'.",
		loop->path, strerror(error), loop->path, loop->path);
}
