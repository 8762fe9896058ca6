/* SPDX-License-Identifier: LGPL-2.1-only */
/* Remembers that no guest has any of some block devices, because the store is slow to say so. */
#ifndef VACANT_H
#define VACANT_H

#include <stdbool.h>
#include <stdint.h>

#include "relatives.h"

/*
 * The devices beneath a file's file system as one number. If it is equal for two disks, so are
 * the devices.
 */
uint64_t vacant_key(const struct relatives *relatives);

/*
 * Whether no guest had any of these devices a minute ago or later, by the notes in the file of
 * locks that is open as `fd`; -1: there is none. It holds for guests whose disks this program
 * claims; a disk that another script gives to a guest in this minute is seen after it.
 */
bool vacant_recall(int fd, uint64_t key);

/* The lock that each claim of a block device holds, shared, until the device is published. */
#define VACANT_LOCK "vacant"

/*
 * Begins a search of the store for these devices. Result: whether it can be noted, because no claim
 * of a block device is under way; then vacant_end() must follow.
 */
bool vacant_begin(int fd);

/* Ends the search, and notes that no guest has any of these devices if `vacant`. */
void vacant_end(int fd, uint64_t key, bool vacant);

/* Forgets all notes. The caller has VACANT_LOCK, for a block device that a guest is to get. */
void vacant_forget(int fd);

#endif
