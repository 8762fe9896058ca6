/* SPDX-License-Identifier: LGPL-2.1-only */
/* The users of a disk: guests and the host. */
#include "users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "backend.h"
#include "blockdev.h"
#include "guests.h"
#include "looplist.h"
#include "message.h"
#include "served.h"
#include "status.h"
#include "vacant.h"

/* The state of one users_find(). */
struct search {
	const struct user_query *query;
	struct store *store;
	struct user_list *list;
	struct guest_list given; /* guests' devices that use the disk according to the store */
};

static int add_user(struct search *search, const struct user *user)
{
	struct user_list *list = search->list;
	struct user *users = array_room(list->users, list->count, &list->room, sizeof(*users));

	if (!users)
		return complain_memory();
	list->users = users;
	users[list->count++] = *user;
	return STATUS_DONE;
}

static bool is_self(const struct search *search, const struct device *device)
{
	return search->query->self && device_equal(search->query->self, device);
}

/* The use of the disk through a loop device. */
static struct user user_of_loop(const struct search *search, const struct loop *loop)
{
	const struct relative *relative = relatives_get(search->query->relatives, loop->number);
	bool writable = !(loop->info.lo_flags & LO_FLAGS_READ_ONLY);

	return (struct user){
		.writes = writable && (!relative || relative->overlap.second_writes),
		.reads = !relative || relative->overlap.first_writes,
		.beneath = relative && !relative->overlap.direct,
		.detaching = loop->info.lo_flags & LO_FLAGS_AUTOCLEAR,
	};
}

/* Finds guests by the tags of loop devices. */
static int find_tagged(struct search *search)
{
	const struct loop_list *loops = &search->query->relatives->loops;
	int status = STATUS_DONE;

	for (size_t i = 0; i < loops->count && !status; i++) {
		const struct loop *loop = &loops->loops[i];

		if (!loop->tagged || is_self(search, &loop->tag.device))
			continue;
		struct user user = user_of_loop(search, loop);
		user.guest = true;
		user.device = loop->tag.device;
		memcpy(user.loop, loop->path, sizeof(user.loop));
		status = add_user(search, &user);
	}
	return status;
}

/* Whether the device shares more with the disk than what is beneath the disk's file system. */
static bool is_direct(const struct search *search, dev_t number)
{
	const struct relative *relative = relatives_get(search->query->relatives, number);

	return !relative || relative->overlap.direct;
}

/* Whether a guest can have the disk as a block device without a tag, which only the store shows. */
static bool has_number(const struct search *search)
{
	const struct loop_list *loops = &search->query->relatives->loops;

	if (!search->query->disk->file)
		return true;
	for (size_t i = 0; i < loops->count; i++)
		if (!loops->loops[i].tagged && is_direct(search, loops->loops[i].number))
			return true;
	return false;
}

/* The length of the path above `base`, with its slash. */
static int parent_length(const char *base)
{
	const char *slash = strrchr(base, '/');

	return slash ? (int)(slash + 1 - base) : 0;
}

/* Reads a node of a guest's device of any type; `base` is the path of one type. */
static char *device_node(
	struct store *store, const char *base, const struct device *device, const char *node)
{
	char text[DEVICE_TEXT_SIZE];

	return store_text(
		store, "%.*s%s/%s", parent_length(base), base, device_text(device, text), node);
}

/* Whether the guest can write. A device without a mode counts as writable, to be safe. */
static bool can_write(struct search *search, const struct guest_device *given)
{
	if (given->access != GUEST_BY_MODE)
		return given->access == GUEST_WRITES;
	char *mode = device_node(search->store, search->query->base, &given->device, "mode");
	bool writes = !mode || strchr(mode, 'w');

	free(mode);
	return writes;
}

/* Adds a guest's device from the store, unless it is query->self. */
static int add_guest(struct search *search, const struct guest_device *given)
{
	if (is_self(search, &given->device))
		return STATUS_DONE;
	const struct user user = {
		.guest = true,
		.writes = given->overlap.second_writes && can_write(search, given),
		.reads = given->overlap.first_writes,
		.beneath = !given->overlap.direct,
		.guessed = given->guessed,
		.alike = given->alike,
		.device = given->device,
	};

	return add_user(search, &user);
}

static int find_numbered(struct search *search)
{
	const struct user_query *query = search->query;

	return guests_find(search->store, query->base, query->relatives, &search->given);
}

/* Finds guests that have a device beneath the file system of the disk, which is a file. */
static int find_beneath(struct search *search)
{
	const struct user_query *query = search->query;
	uint64_t key = vacant_key(query->relatives);

	if (!query->disk->identity.layer_count || vacant_recall(query->lock_fd, key))
		return STATUS_DONE;
	bool noted = vacant_begin(query->lock_fd);
	int status = find_numbered(search);
	if (noted)
		vacant_end(query->lock_fd, key, !status && !search->given.count);
	return status;
}

/* Finds guests in the store. */
static int find_given(struct search *search)
{
	const struct user_query *query = search->query;
	int status = store_open(search->store);

	if (!status)
		status = has_number(search) ? find_numbered(search) : find_beneath(search);
	if (!status)
		status = served_find(
			search->store, query->base, query->disk, query->relatives, &search->given);
	for (size_t i = 0; i < search->given.count && !status; i++)
		status = add_guest(search, &search->given.devices[i]);
	return status;
}

static bool is_given(const void *context, dev_t number)
{
	const struct search *search = context;

	for (size_t i = 0; i < search->given.count; i++)
		if (search->given.devices[i].number == number)
			return true;
	return false;
}

/* Finds loop devices that belong to no guest: the host uses them, as far as we know. */
static int find_untagged(struct search *search)
{
	const struct loop_list *loops = &search->query->relatives->loops;
	int status = STATUS_DONE;

	for (size_t i = 0; i < loops->count && !status; i++) {
		const struct loop *loop = &loops->loops[i];
		bool below = identity_has_layer(&search->query->disk->identity, loop->number);

		if (loop->tagged || below || is_given(search, loop->number) ||
			!is_direct(search, loop->number))
			continue;
		struct user user = user_of_loop(search, loop);
		enum host_mounts mounts = host_mounts_of(loop->number);
		/* losetup opens a file for writing if it can, also for a squashfs. */
		user.writes &= mounts != HOST_READS;
		user.detaching &= mounts == HOST_UNMOUNTED;
		snprintf(user.host.state, sizeof(user.host.state),
			"is attached to '%s' in this host", loop->path);
		snprintf(user.host.remedy, sizeof(user.host.remedy),
			"run 'losetup -d %s' if it is not needed", loop->path);
		status = add_user(search, &user);
	}
	return status;
}

/* Finds loop devices whose file may be the disk, but nothing tells. */
static int find_alike(struct search *search)
{
	const struct loop_list *alike = &search->query->relatives->alike;
	int status = STATUS_DONE;

	for (size_t i = 0; i < alike->count && !status; i++) {
		struct loop loop = alike->loops[i];
		char path[LOOP_FILE_SIZE];

		/* Only its tag can tell that it is not another's. */
		if (loop.silent && !loop.ended)
			loop_ask(&loop, LOOP_PATIENCE_MS);
		if (!loop.number || (loop.tagged && is_self(search, &loop.tag.device)))
			continue;
		struct user user = {.alike = true, .reads = true, .guest = loop.tagged};
		loop_file(loop.number, path);
		user.writes = !blockdev_read_only(loop.number);
		user.device = loop.tag.device;
		snprintf(user.host.state, sizeof(user.host.state),
			"may be %s on '%s' (same name and size; one is on NFS, FUSE or the like)",
			QUOTED(path), loop.path);
		snprintf(user.host.remedy, sizeof(user.host.remedy), "detach that one first");
		status = add_user(search, &user);
	}
	return status;
}

static int find_host(struct search *search)
{
	const struct host_query query = {
		.disk = search->query->disk,
		.relatives = search->query->relatives,
		.given = is_given,
		.context = search,
	};
	struct host_uses found;
	int status = STATUS_DONE;

	host_find(&query, &found);
	for (size_t i = 0; i < found.count && !status; i++) {
		struct user user = {.host = found.uses[i]};

		user.writes = user.host.writes;
		user.reads = user.host.reads;
		status = add_user(search, &user);
	}
	return status;
}

int users_find(const struct user_query *query, struct store *store, struct user_list *list)
{
	struct search search = {.query = query, .store = store, .list = list};
	int status;

	*list = (struct user_list){.users = NULL};
	status = find_tagged(&search);
	if (!status)
		status = find_given(&search);
	if (!status)
		status = find_host(&search);
	if (!status)
		status = find_untagged(&search);
	if (!status)
		status = find_alike(&search);
	guest_list_free(&search.given);
	return status;
}

void user_list_free(struct user_list *list)
{
	free(list->users);
	*list = (struct user_list){.users = NULL};
}

/* Whether the store is readable and has no such domain. */
static bool is_gone(struct store *store, unsigned domid)
{
	char path[40], *value;
	size_t length;

	if (!store->xs)
		return false;
	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	enum store_answer answer = store_read(store, XBT_NULL, path, &value, &length);
	if (answer == STORE_VALUE)
		free(value);
	return answer == STORE_NONE;
}

/* What is left of a device, or of a domain that no longer exists. */
static void describe_leftover(const struct user *user, enum backend backend, const char *base,
	char state[USER_TEXT_SIZE], char remedy[USER_TEXT_SIZE])
{
	char text[DEVICE_TEXT_SIZE];

	device_text(&user->device, text);
	snprintf(state, USER_TEXT_SIZE, "is still held for %s, which no longer exists", text);
	if (!user->device.type[0]) {
		snprintf(state, USER_TEXT_SIZE,
			"is still held for domain %u, which no longer exists", user->device.domid);
		snprintf(remedy, USER_TEXT_SIZE, "end its device model (QEMU) first");
	} else if (backend == BACKEND_GONE)
		snprintf(remedy, USER_TEXT_SIZE, "run 'xen-hotplug gc', which says what keeps it");
	else if (backend == BACKEND_KERNEL)
		snprintf(remedy, USER_TEXT_SIZE,
			"end domain %u, which the kernel still serves, then run 'xen-hotplug gc'",
			user->device.domid);
	else
		snprintf(remedy, USER_TEXT_SIZE, "run 'xenstore-rm %.*s%s', then 'xen-hotplug gc'",
			parent_length(base), base, text);
}

/* What the disk has to do with what the user has. */
static const char *relation(const struct user *user)
{
	if (user->beneath)
		return "lies on a disk that ";
	return user->alike ? "may be the file (same name; one is on NFS, FUSE or the like) that "
			   : "";
}

static void describe_guest(const struct user *user, struct store *store, const char *base,
	char state[USER_TEXT_SIZE], char remedy[USER_TEXT_SIZE])
{
	const struct device *device = &user->device;
	char *name = NULL, *dev = NULL;
	char as[DEVICE_TEXT_SIZE + QUOTE_LIMIT] = "", by[QUOTE_LIMIT + 16] = "a guest";
	bool known = device->type[0];

	if (store->xs) {
		name = store_text(store, "/local/domain/%u/name", device->domid);
		dev = known ? device_node(store, base, device, "dev") : NULL;
	}
	if (name)
		snprintf(by, sizeof(by), "guest %s", QUOTED(name));
	if (dev)
		escape(as, QUOTE_LIMIT, dev, strlen(dev), ESCAPE_TEXT);
	else if (known)
		device_text(device, as);
	snprintf(state, USER_TEXT_SIZE, "%sis in use, %s, by %s (domain %u)%s%s", relation(user),
		user->writes ? "read-write" : "read-only", by, device->domid, as[0] ? " as " : "",
		as);
	snprintf(remedy, USER_TEXT_SIZE, "detach it there first");
	free(name);
	free(dev);
}

static void describe_unknown(
	const struct user *user, char state[USER_TEXT_SIZE], char remedy[USER_TEXT_SIZE])
{
	snprintf(state, USER_TEXT_SIZE, "%sis in use, %s, by a process of an unknown guest",
		relation(user), user->writes ? "read-write" : "read-only");
	snprintf(remedy, USER_TEXT_SIZE, "find it ('fuser -v') and detach the disk there first");
}

void user_describe(const struct user *user, struct store *store, const char *base,
	char state[USER_TEXT_SIZE], char remedy[USER_TEXT_SIZE])
{
	/* One without a tagged loop device was found in the store. */
	enum backend backend = user->loop[0] && store->xs ? backend_find(store, base, &user->device)
							  : BACKEND_NODES;
	bool gone = backend == BACKEND_GONE || backend == BACKEND_KERNEL ||
		    (user->guest && is_gone(store, user->device.domid));

	if (user->guessed) {
		describe_unknown(user, state, remedy);
	} else if (user->host.state[0]) {
		snprintf(state, USER_TEXT_SIZE, "%s", user->host.state);
		snprintf(remedy, USER_TEXT_SIZE, "%s", user->host.remedy);
	} else if (gone) {
		describe_leftover(user, backend, base, state, remedy);
	} else {
		describe_guest(user, store, base, state, remedy);
	}
}
