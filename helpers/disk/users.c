/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who else uses the bytes of a disk. */
#include "users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "guests.h"
#include "message.h"
#include "status.h"

/* The work on one query. */
struct hunt {
	const struct user_query *query;
	struct store *store;
	struct user_list *list;
	struct guest_list given; /* what guests have according to the store */
};

static int add_user(struct hunt *hunt, const struct user *user)
{
	struct user_list *list = hunt->list;
	struct user *users = array_room(list->users, list->count, &list->room, sizeof(*users));

	if (!users)
		return complain_memory();
	list->users = users;
	users[list->count++] = *user;
	return STATUS_DONE;
}

static bool is_self(const struct hunt *hunt, const struct device *device)
{
	return hunt->query->self && device_equal(hunt->query->self, device);
}

/* A loop device over the disk's bytes, as its user has it. */
static struct user user_of_loop(const struct hunt *hunt, const struct loop *loop)
{
	const struct relative *relative = relatives_get(hunt->query->relatives, loop->number);
	bool writable = !(loop->info.lo_flags & LO_FLAGS_READ_ONLY);

	return (struct user){
		.writes = writable && (!relative || relative->overlap.second_writes),
		.reads = !relative || relative->overlap.first_writes,
		.leaving = loop->info.lo_flags & LO_FLAGS_AUTOCLEAR,
	};
}

/* Guests whose loop devices say so themselves. */
static int find_tagged(struct hunt *hunt)
{
	const struct loop_list *loops = &hunt->query->relatives->loops;
	int status = STATUS_DONE;

	for (size_t i = 0; i < loops->count && !status; i++) {
		const struct loop *loop = &loops->loops[i];

		if (!loop->tagged || is_self(hunt, &loop->tag.device))
			continue;
		struct user user = user_of_loop(hunt, loop);
		user.guest = true;
		user.device = loop->tag.device;
		status = add_user(hunt, &user);
	}
	return status;
}

/* A block device, or a loop device whose user only the store can tell. */
static bool has_number(const struct user_query *query)
{
	if (!query->disk->file)
		return true;
	for (size_t i = 0; i < query->relatives->loops.count; i++)
		if (!query->relatives->loops.loops[i].tagged)
			return true;
	return false;
}

/* A node of a guest's disk of any type: `base` is that of one type. */
static char *device_node(
	struct store *store, const char *base, const struct device *device, const char *node)
{
	const char *slash = strrchr(base, '/');
	int parent = slash ? (int)(slash + 1 - base) : 0;

	return store_text(store, "%.*s%s/%u/%u/%s", parent, base, device->type, device->domid,
		device->devid, node);
}

/* A guest's device that the store shows: not the one that asks, which may have the disk. */
static int add_guest(struct hunt *hunt, const struct guest_device *given)
{
	if (is_self(hunt, &given->device))
		return STATUS_DONE;
	char *mode = device_node(hunt->store, hunt->query->base, &given->device, "mode");
	struct user user = {
		.guest = true,
		/* Without a mode it can write, for all that is known. */
		.writes = given->overlap.second_writes && (!mode || strchr(mode, 'w')),
		.reads = given->overlap.first_writes,
		.device = given->device,
	};

	free(mode);
	return add_user(hunt, &user);
}

/* Guests that have the disk according to the store. */
static int find_given(struct hunt *hunt)
{
	const struct user_query *query = hunt->query;
	int status = store_open(hunt->store);

	if (!status && has_number(query))
		status = guests_find(hunt->store, query->base, GUESTS_BY_NUMBER, query->disk,
			query->relatives, &hunt->given);
	if (!status)
		status = guests_find_served(
			hunt->store, query->base, query->disk, query->relatives, &hunt->given);
	for (size_t i = 0; i < hunt->given.count && !status; i++)
		status = add_guest(hunt, &hunt->given.devices[i]);
	return status;
}

static bool is_given(const void *context, dev_t number)
{
	const struct hunt *hunt = context;

	for (size_t i = 0; i < hunt->given.count; i++)
		if (hunt->given.devices[i].number == number)
			return true;
	return false;
}

/* Loop devices that nobody but the host has set up, for its own use as far as one can tell. */
static int find_untagged(struct hunt *hunt)
{
	const struct loop_list *loops = &hunt->query->relatives->loops;
	int status = STATUS_DONE;

	for (size_t i = 0; i < loops->count && !status; i++) {
		const struct loop *loop = &loops->loops[i];
		bool below = identity_has_layer(&hunt->query->disk->identity, loop->number);

		if (loop->tagged || below || is_given(hunt, loop->number))
			continue;
		struct user user = user_of_loop(hunt, loop);
		snprintf(user.host.state, sizeof(user.host.state),
			"is attached to '%s' in this host", loop->path);
		snprintf(user.host.remedy, sizeof(user.host.remedy),
			"run 'losetup -d %s' where nothing needs it", loop->path);
		status = add_user(hunt, &user);
	}
	return status;
}

static int find_host(struct hunt *hunt)
{
	const struct host_query query = {
		.disk = hunt->query->disk,
		.relatives = hunt->query->relatives,
		.given = is_given,
		.context = hunt,
	};
	struct host_uses found;
	int status = STATUS_DONE;

	host_find(&query, &found);
	for (size_t i = 0; i < found.count && !status; i++) {
		struct user user = {.host = found.uses[i]};

		user.writes = user.host.writes;
		user.reads = user.host.reads;
		status = add_user(hunt, &user);
	}
	return status;
}

int users_find(const struct user_query *query, struct store *store, struct user_list *list)
{
	struct hunt hunt = {.query = query, .store = store, .list = list};
	int status;

	*list = (struct user_list){.users = NULL};
	status = find_tagged(&hunt);
	if (!status)
		status = find_given(&hunt);
	if (!status)
		status = find_host(&hunt);
	if (!status)
		status = find_untagged(&hunt);
	guest_list_free(&hunt.given);
	return status;
}

void user_list_free(struct user_list *list)
{
	free(list->users);
	*list = (struct user_list){.users = NULL};
}

static void describe_guest(const struct user *user, struct store *store, const char *base,
	char state[USER_TEXT_SIZE], char remedy[USER_TEXT_SIZE])
{
	const struct device *device = &user->device;
	char *name = NULL, *dev = NULL;
	char as[DEVICE_TEXT_SIZE + QUOTE_LIMIT] = "", by[QUOTE_LIMIT + 16] = "a guest";

	if (store->xs) {
		name = store_text(store, "/local/domain/%u/name", device->domid);
		dev = device_node(store, base, device, "dev");
	}
	if (name)
		snprintf(by, sizeof(by), "guest %s", QUOTED(name));
	if (dev)
		escape(as, QUOTE_LIMIT, dev, strlen(dev), ESCAPE_TEXT);
	else
		device_text(device, as);
	snprintf(state, USER_TEXT_SIZE, "is in use, %s, by %s (domain %u) as %s",
		user->writes ? "read-write" : "read-only", by, device->domid, as);
	snprintf(remedy, USER_TEXT_SIZE, "detach it there first");
	free(name);
	free(dev);
}

void user_describe(const struct user *user, struct store *store, const char *base,
	char state[USER_TEXT_SIZE], char remedy[USER_TEXT_SIZE])
{
	if (user->guest) {
		describe_guest(user, store, base, state, remedy);
		return;
	}
	snprintf(state, USER_TEXT_SIZE, "%s", user->host.state);
	snprintf(remedy, USER_TEXT_SIZE, "%s", user->host.remedy);
}
