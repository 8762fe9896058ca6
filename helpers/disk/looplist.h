/* SPDX-License-Identifier: LGPL-2.1-only */
/* Lists the loop devices, and asks no file server that may not answer. */
#ifndef LOOPLIST_H
#define LOOPLIST_H

#include "filesystem.h"
#include "loop.h"
#include "mounts.h"

/* How long one device may take to answer, and how long after the first one that takes too long. */
#define LOOP_PATIENCE_MS 500
#define LOOP_IMPATIENCE_MS 50

/*
 * Lists all loop devices with a file, also those of size 0. The kernel asks the file's file system
 * for the status of a loop device, so devices on remote file systems (filesystem_is_remote()) are
 * only asked if they are on that of `own`, a path without symbolic links, or NULL, which has
 * answered; and the others in a process that can be ended. A device that is not asked, or does not
 * answer, is `silent`: if its file is found by its path on a local file system, it has that file's
 * numbers, else 0. Result: STATUS_DONE; or STATUS_FAILED with a complaint, also if one of them
 * cannot be examined, because its file may be any. The caller frees the list with loop_list_free().
 */
int loop_list_read(const char *own, struct mount_table *mounts, struct loop_list *list);

/* Frees the loops, and empties the list. */
void loop_list_free(struct loop_list *list);

/* The loop device with that number, or NULL. */
const struct loop *loop_list_get(const struct loop_list *list, dev_t number);

/*
 * The file that has the bytes of a loop device with this status: its own, or that of a layer if its
 * own is on an overlay that is not remote. `path` has room for its path, which is only looked up on
 * a file system without a device number. Reads `mounts` if it needs them.
 */
void loop_bottom_file(dev_t number, const struct loop_info64 *info, struct mount_table *mounts,
	char path[LOOP_FILE_SIZE], struct file *file);

/*
 * Reads the status of the loop device with that path, in a process that can be ended. Result: an
 * errno, or 0; ETIMEDOUT if it has not answered for `ms` milliseconds.
 */
int loop_ask_within(const char *path, unsigned ms, struct loop_info64 *info);

/*
 * Asks a silent device, for at most `ms` milliseconds. Result: whether it has answered; if it has
 * lost its file by then, its `number` is 0.
 */
bool loop_ask(struct loop *loop, unsigned ms);

/*
 * Parses a line of /proc/partitions, which is changed. Result: whether it describes a whole loop
 * device.
 */
bool loop_parse_partition(char *line, char name[LOOP_NAME_SIZE], dev_t *number);

#endif
