/* SPDX-License-Identifier: LGPL-2.1-only */
/* The users of a disk: guests and the host. */
#ifndef USERS_H
#define USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "device.h"
#include "disk.h"
#include "host.h"
#include "relatives.h"
#include "store.h"

/* A guest's device, or a use by the host. */
struct user {
	bool guest;
	bool writes;		   /* it can change bytes of the disk */
	bool reads;		   /* it reads bytes that the disk's user can change */
	bool beneath;		   /* it has what is beneath the file system of the disk */
	bool alike;		   /* it has a file that may be the disk, by its name */
	bool guessed;		   /* it may be another guest's device */
	bool detaching;		   /* its loop device detaches on the last close */
	struct device device;	   /* of a guest */
	char loop[LOOP_PATH_SIZE]; /* its tagged loop device, or "" */
	struct host_use host;	   /* of the host, and of a loop device that is alike */
};

struct user_list {
	struct user *users;
	size_t count, room;
};

/* The arguments of users_find(). */
struct user_query {
	const struct disk *disk;
	const struct relatives *relatives;
	const char *base;	   /* of the vbd backends in the store, such as "backend/vbd" */
	const struct device *self; /* not reported as a user; may be NULL */
	int lock_fd;		   /* the file of locks, in which the disk is locked; or -1 */
};

/*
 * Finds the users: guests by the tags of their loop devices and by the store, the host by
 * host_find() and by loop devices without a tag. In the store it reads the devices of QEMU and
 * other programs (one request, and two per guest with such a device). For a block device, or a loop
 * device without a tag, it also reads BASE/DOMID/DEVID/physical-device (one request, and two per
 * guest), and once a minute for all files of a file system on a block device. Connects `store`
 * unless it is connected. Result: STATUS_DONE, or STATUS_FAILED with a complaint. The caller frees
 * the list in either case.
 */
int users_find(const struct user_query *query, struct store *store, struct user_list *list);

/* Frees the users, and empties the list. */
void user_list_free(struct user_list *list);

/* Room for user_describe(). */
#define USER_TEXT_SIZE 1024

/*
 * Formats two phrases for a sentence about a disk: the use ("is in use, read-write, by guest 'web'
 * (domain 3) as xvda"), and the remedy. They contain no names if `store` is closed. If the
 * device or its domain no longer exists, the remedy removes what is left of it.
 */
void user_describe(const struct user *user, struct store *store, const char *base,
	char state[USER_TEXT_SIZE], char remedy[USER_TEXT_SIZE]);

#endif
