/* SPDX-License-Identifier: LGPL-2.1-only */
/* Block devices by number, from sysfs. */
#ifndef BLOCKDEV_H
#define BLOCKDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Room for the name of a block device under /dev. */
#define BLOCKDEV_NAME_SIZE 64

/* The name under /dev, such as "sda1". Result: false if there is no such device. */
bool blockdev_name(dev_t number, char name[BLOCKDEV_NAME_SIZE]);

/* Opens the device with these flags of open(). Result: a descriptor, or -1 with errno. */
int blockdev_open(dev_t number, int flags);

/*
 * Whether the device is a partition. If so, sets *whole to its disk, and *start and *length to its
 * range there in bytes; otherwise *whole is unchanged.
 */
bool blockdev_partition(dev_t number, dev_t *whole, uint64_t *start, uint64_t *length);

/*
 * Calls `each` for each partition of a whole disk until it returns false. Result: false if `each`
 * returned false.
 */
bool blockdev_each_partition(
	dev_t whole, bool (*each)(dev_t partition, void *context), void *context);

/*
 * Calls `each` for each device that this one is built from (device-mapper, md, DRBD, bcache …)
 * until it returns false. Result: false with errno if `each` returned false, or if the devices
 * cannot be listed.
 */
bool blockdev_each_slave(dev_t number, bool (*each)(dev_t slave, void *context), void *context);

/* The same for each device that is built on this one. */
bool blockdev_each_holder(dev_t number, bool (*each)(dev_t holder, void *context), void *context);

/* Whether the device is read-only. */
bool blockdev_read_only(dev_t number);

/* Whether it is a device of device-mapper. */
bool blockdev_is_dm(dev_t number);

/* Its name for messages, such as "dm-0 (vg-root)" or "md0", escaped. */
void blockdev_describe(dev_t number, char *description, size_t size);

#endif
