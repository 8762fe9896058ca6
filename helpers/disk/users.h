/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who else uses the bytes of a disk. */
#ifndef USERS_H
#define USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "device.h"
#include "disk.h"
#include "host.h"
#include "relatives.h"
#include "store.h"

/* A guest's device, or the host. */
struct user {
	bool guest;
	bool writes;	      /* the disk's bytes */
	bool reads;	      /* what the disk's user writes */
	bool leaving;	      /* its loop device goes as soon as it closes that */
	struct device device; /* where it is a guest's */
	struct host_use host; /* where it is the host */
};

struct user_list {
	struct user *users;
	size_t count, room;
};

/* Whom to look for. */
struct user_query {
	const struct disk *disk;
	const struct relatives *relatives;
	const char *base;	   /* of the backends in the store, such as "backend/vbd" */
	const struct device *self; /* is no other user; may be NULL */
};

/*
 * Finds the users: guests by their loop devices' tags and by the store, the host by host_find() and
 * its other loop devices. The store tells what QEMU and other programs serve, for one request and
 * two per guest that has such a disk; and, for a block device and for a
 * loop device without a tag, `BASE/DOMID/DEVID/physical-device`, for two requests per guest and
 * one. It is connected where it was not.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint; the list is to be freed in either case.
 */
int users_find(const struct user_query *query, struct store *store, struct user_list *list);

/* Frees what it holds, and makes it empty. */
void user_list_free(struct user_list *list);

/* Room for user_describe(). */
#define USER_TEXT_SIZE 1024

/*
 * Two phrases of a sentence about a disk: how the user uses it ("is in use, read-write, by guest
 * 'web' (domain 3) as xvda"), and what to do first. `store` may be closed: then without names.
 */
void user_describe(const struct user *user, struct store *store, const char *base,
	char state[USER_TEXT_SIZE], char remedy[USER_TEXT_SIZE]);

#endif
