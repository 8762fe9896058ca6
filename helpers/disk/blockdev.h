/* SPDX-License-Identifier: LGPL-2.1-only */
/* Block devices by their number, as sysfs shows them. */
#ifndef BLOCKDEV_H
#define BLOCKDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Room for the name of a block device under /dev. */
#define BLOCKDEV_NAME_SIZE 64

/* The name under /dev, such as "sda1". Result: false where sysfs has no such device. */
bool blockdev_name(dev_t number, char name[BLOCKDEV_NAME_SIZE]);

/* Opens it with these flags of open(). Result: a descriptor, or -1 with errno. */
int blockdev_open(dev_t number, int flags);

/*
 * Whether it is a partition: of the disk *whole, from byte *start on, *length bytes. Where it is
 * none, *whole stays as it is.
 */
bool blockdev_partition(dev_t number, dev_t *whole, uint64_t *start, uint64_t *length);

/*
 * Calls `each` with the number of each partition of a whole disk until it returns false. Result:
 * false when it did.
 */
bool blockdev_each_partition(
	dev_t whole, bool (*each)(dev_t partition, void *context), void *context);

/*
 * Calls `each` with the number of each device that this one is built of (device-mapper, md, DRBD,
 * bcache …), until it returns false. Result: false with errno when it did, or where they cannot be
 * listed.
 */
bool blockdev_each_slave(dev_t number, bool (*each)(dev_t slave, void *context), void *context);

/* The same for each device that is built on this one. */
bool blockdev_each_holder(dev_t number, bool (*each)(dev_t holder, void *context), void *context);

/* Whether nobody can write it. */
bool blockdev_read_only(dev_t number);

/* Whether device-mapper made it. */
bool blockdev_is_dm(dev_t number);

/* Its name for people, such as "dm-0 (vg-root)" or "md0", escaped. */
void blockdev_describe(dev_t number, char *description, size_t size);

#endif
