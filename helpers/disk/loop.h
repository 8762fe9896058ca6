/* SPDX-License-Identifier: LGPL-2.1-only */
/* Loop devices. */
#ifndef LOOP_H
#define LOOP_H

#include <linux/loop.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "device.h"

/* Documentation/admin-guide/devices.txt of Linux. */
#define LOOP_MAJOR_NUMBER 7

/* Room for "/dev/loop1048575". */
#define LOOP_PATH_SIZE 32

/* Room for "loop1048575". */
#define LOOP_NAME_SIZE 16

/* A loop device that has a file. */
struct loop {
	char path[LOOP_PATH_SIZE];
	dev_t number;
	struct loop_info64 info;
	bool tagged;
	struct tag tag; /* where it is tagged */
};

struct loop_list {
	struct loop *loops;
	size_t count, room;
};

/* What a loop device holds. Result: false with errno; ENXIO where it has no file. */
bool loop_status(dev_t number, struct loop_info64 *info);

/*
 * Lists all loop devices that have a file. Result: STATUS_DONE, or STATUS_FAILED with a complaint:
 * one that cannot be examined may be over any file. The list is to be freed with loop_list_free().
 */
int loop_list_read(struct loop_list *list);

/*
 * Parses a line of /proc/partitions, which is changed. Result: whether it is of a whole loop
 * device.
 */
bool loop_parse_partition(char *line, char name[LOOP_NAME_SIZE], dev_t *number);

/* Frees what it holds, and makes it empty. */
void loop_list_free(struct loop_list *list);

/*
 * Attaches the file open as `image` to a free loop device, with the tag, in one step: no other
 * process can get the same device, and none sees it without the tag. Read-only unless `writable`,
 * for which `image` must be open for writing.
 * Result: STATUS_DONE with *path and *number set, or STATUS_FAILED with a complaint.
 */
int loop_attach(int image, bool writable, const char tag[TAG_SIZE], char path[LOOP_PATH_SIZE],
	dev_t *number);

/* Gives it the size that its file has now. Result: STATUS_DONE, or STATUS_FAILED with a complaint.
 */
int loop_resize(const struct loop *loop);

/*
 * Detaches a loop device: at once, or when the last that has it open closes it. It must still hold
 * what `loop` says, else nothing is done. Result: STATUS_DONE with *detached, or STATUS_FAILED with
 * a complaint.
 */
int loop_detach(const struct loop *loop, bool *detached);

#endif
