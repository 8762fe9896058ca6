/* SPDX-License-Identifier: LGPL-2.1-only */
/* Loop devices. */
#ifndef LOOP_H
#define LOOP_H

#include <linux/loop.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "device.h"

/* Documentation/admin-guide/devices.txt of Linux. */
#define LOOP_MAJOR_NUMBER 7

/* Room for "/dev/loop1048575". */
#define LOOP_PATH_SIZE 32

/* Room for "loop1048575". */
#define LOOP_NAME_SIZE 16

/* A loop device with a file. */
struct loop {
	char path[LOOP_PATH_SIZE];
	dev_t number;
	struct loop_info64 info;
	bool tagged;
	struct tag tag; /* if it is tagged */
	bool silent;	/* it was not asked, because its file server may not answer, or did not */
	bool ended;	/* silent, because its file server has ended, so that nobody can use it */
};

struct loop_list {
	struct loop *loops;
	size_t count, room;
};

/* Room for the path of a loop device's file, which sysfs prints on one page. */
#define LOOP_FILE_SIZE 4160

/*
 * Reads the path of a loop device's file from sysfs, without asking its file system. A deleted file
 * has " (deleted)" after its path. Result: false if the device has no file; then *path is "".
 */
bool loop_file(dev_t number, char path[LOOP_FILE_SIZE]);

/* Cuts what sysfs adds to the path of a deleted file. Result: whether it has. */
bool loop_file_undelete(char path[LOOP_FILE_SIZE]);

/* The size of a loop device's file in bytes, from sysfs, if it is not limited; else 0. */
uint64_t loop_file_size(dev_t number);

/* Reads the status of a loop device. Result: false with errno; ENXIO if it has no file. */
bool loop_status(dev_t number, struct loop_info64 *info);

/* The same for the device with that path. Result: an errno, or 0. */
int loop_ask_path(const char *path, struct loop_info64 *info);

/*
 * Attaches the file open as `image` to a free loop device, and sets the tag, in one ioctl: no other
 * process can get the same device or see it without the tag. The device is read-only unless
 * `writable`, which needs an `image` open for writing.
 * Result: STATUS_DONE with *path and *number set, or STATUS_FAILED with a complaint.
 */
int loop_attach(int image, bool writable, const char tag[TAG_SIZE], char path[LOOP_PATH_SIZE],
	dev_t *number);

/*
 * Sets the size of a loop device to that of its file. Result: STATUS_DONE, or STATUS_FAILED with a
 * complaint.
 */
int loop_resize(const struct loop *loop);

/*
 * Detaches a loop device, if its file and tag are still those of `loop`, or its file server has
 * ended. While it is open, the
 * kernel detaches it when it is closed. Result: STATUS_DONE with *detached, or STATUS_FAILED with a
 * complaint.
 */
int loop_detach(const struct loop *loop, bool *detached);

#endif
