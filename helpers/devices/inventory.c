/* SPDX-License-Identifier: LGPL-2.1-only */
/* The devices that hotplug scripts serve, or have left, on this host. */
#include "devices/inventory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "bulk.h"
#include "deadline.h"
#include "lock.h"
#include "message.h"
#include "status.h"
#include "store.h"

#define LOCK_FILE JOURNAL_DIRECTORY "/lock"

/* The types of backends for which libxl calls scripts. */
static const char *const types[] = {"vbd", "vbd3", "vif"};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

const char *const node_names[NODES] = {
	[NODE_SELF] = "",
	[NODE_STATE] = "state",
	[NODE_HOTPLUG_STATUS] = "hotplug-status",
	[NODE_HOTPLUG_ERROR] = "hotplug-error",
	[NODE_PHYSICAL_DEVICE] = "physical-device",
	[NODE_SCRIPT] = "script",
	[NODE_DEV] = "dev",
	[NODE_VIFNAME] = "vifname",
	[NODE_PARAMS] = "params",
	[NODE_MODE] = "mode",
	[NODE_MAC] = "mac",
	[NODE_BRIDGE] = "bridge",
	[NODE_IP] = "ip",
	[NODE_VLAN] = "vlan",
	[NODE_MTU] = "mtu",
};

/* A guest with devices of a type. */
struct owner {
	size_t type;
	char domid[16];
};

/* What is asked of the store, and the answers. */
struct reading {
	struct inventory *inventory;
	struct owner *owners;
	size_t owner_count, owner_room;
};

static struct entry *find(struct inventory *inventory, const struct device *device, bool emulated)
{
	for (size_t i = 0; i < inventory->count; i++) {
		struct entry *entry = &inventory->entries[i];

		if (entry->emulated == emulated && device_equal(&entry->device, device))
			return entry;
	}
	return NULL;
}

/* Adds a device. Result: NULL with a complaint. */
static struct entry *add(struct inventory *inventory, const struct device *device, bool emulated)
{
	struct entry *entries = array_room(
		inventory->entries, inventory->count, &inventory->room, sizeof(*entries));

	if (!entries) {
		complain_memory();
		return NULL;
	}
	inventory->entries = entries;
	entries[inventory->count] = (struct entry){.device = *device, .emulated = emulated};
	return &entries[inventory->count++];
}

/* The path of each type's directory. */
static bool type_path(void *context, size_t index, char *path)
{
	(void)context;
	return store_path(path, "backend", types[index]);
}

static int take_owners(void *context, size_t index, int error, const char *data, size_t length)
{
	struct reading *reading = context;
	unsigned domid;

	for (const char *at = data; !error && at < data + length; at += strlen(at) + 1) {
		if (!parse_domid(at, &domid))
			continue;
		struct owner *owners = array_room(reading->owners, reading->owner_count,
			&reading->owner_room, sizeof(*owners));
		if (!owners)
			return complain_memory();
		reading->owners = owners;
		owners[reading->owner_count] = (struct owner){.type = index};
		snprintf(owners[reading->owner_count++].domid, sizeof(owners->domid), "%u", domid);
	}
	return STATUS_DONE;
}

/* The path of each owner's directory. */
static bool owner_path(void *context, size_t index, char *path)
{
	const struct owner *owner = &((struct reading *)context)->owners[index];
	char key[64];

	snprintf(key, sizeof(key), "%s/%s", types[owner->type], owner->domid);
	return store_path(path, "backend", key);
}

static int take_devices(void *context, size_t index, int error, const char *data, size_t length)
{
	struct reading *reading = context;
	const struct owner *owner = &reading->owners[index];
	struct device device = {.type = ""};

	snprintf(device.type, sizeof(device.type), "%s", types[owner->type]);
	if (!parse_domid(owner->domid, &device.domid))
		return STATUS_DONE;
	for (const char *at = data; !error && at < data + length; at += strlen(at) + 1)
		if (parse_devid(at, &device.devid) && !add(reading->inventory, &device, false))
			return STATUS_FAILED;
	return STATUS_DONE;
}

/* The path of each node of each device. */
static bool node_path(void *context, size_t index, char *path)
{
	const struct inventory *inventory = context;
	const char *node = node_names[index % NODES];
	char text[DEVICE_TEXT_SIZE], key[sizeof(text) + 32];

	device_text(&inventory->entries[index / NODES].device, text);
	snprintf(key, sizeof(key), "%s%s%s", text, *node ? "/" : "", node);
	return store_path(path, "backend", key);
}

static int take_node(void *context, size_t index, int error, const char *data, size_t length)
{
	const struct inventory *inventory = context;
	struct entry *entry = &inventory->entries[index / NODES];

	if (error) {
		if (index % NODES == NODE_SELF && error != ENOENT)
			entry->node_error = error;
		return STATUS_DONE;
	}
	/* A NUL in a value ends it: no script writes one. */
	entry->nodes[index % NODES] = strndup(data, length);
	return entry->nodes[index % NODES] ? STATUS_DONE : complain_memory();
}

/* The path of the name of each device's guest. */
static bool guest_path(void *context, size_t index, char *path)
{
	const struct inventory *inventory = context;
	char key[32];

	snprintf(key, sizeof(key), "%u/name", inventory->entries[index].device.domid);
	return store_path(path, "/local/domain", key);
}

static int take_guest(void *context, size_t index, int error, const char *data, size_t length)
{
	const struct inventory *inventory = context;

	if (error || !length)
		return STATUS_DONE;
	inventory->entries[index].guest = strndup(data, length);
	return inventory->entries[index].guest ? STATUS_DONE : complain_memory();
}

/* Which devices the store has. */
static int find_nodes(struct store *store, struct inventory *inventory)
{
	struct reading reading = {.inventory = inventory};
	struct bulk bulk = {
		.kind = BULK_DIRECTORY,
		.count = TYPE_COUNT,
		.context = &reading,
		.path = type_path,
		.answer = take_owners,
	};
	int status = bulk_ask(store, &bulk);

	bulk.count = reading.owner_count;
	bulk.path = owner_path;
	bulk.answer = take_devices;
	if (!status)
		status = bulk_ask(store, &bulk);
	free(reading.owners);
	return status;
}

/* What it has of all of them. */
static int read_nodes(struct store *store, struct inventory *inventory)
{
	struct bulk bulk = {
		.kind = BULK_READ,
		.count = inventory->count * NODES,
		.context = inventory,
		.path = node_path,
		.answer = take_node,
	};
	int status = bulk_ask(store, &bulk);

	bulk.count = inventory->count;
	bulk.path = guest_path;
	bulk.answer = take_guest;
	return status ? status : bulk_ask(store, &bulk);
}

/* Finds what was published; what the journal says twice counts as it says it last. */
static void parse_journal(struct entry *entry)
{
	const char *at = entry->journal.bytes, *end = at + entry->journal.length;
	struct record record;

	journal_head_parse(at, entry->journal.length, &entry->head);
	while (journal_next(&at, end, &record)) {
		if (strcmp(record.word, "published") != 0)
			continue;
		entry->dev = record_field(&record, 0);
		entry->number = record.count > 1 ? record_field(&record, 1) : "";
	}
}

static void look_at_lock(const struct inventory *inventory, struct entry *entry)
{
	char text[DEVICE_TEXT_SIZE];

	entry->locked |= inventory->locks >= 0 &&
			 lock_is_held(inventory->locks, device_text(&entry->device, text));
}

/* An attach that is under way is seen as one: it has the lock before or after this. */
static void read_journal(const struct inventory *inventory, struct entry *entry)
{
	char path[JOURNAL_PATH_SIZE];

	journal_path(path, &entry->device, entry->emulated ? JOURNAL_EMULATED : "");
	look_at_lock(inventory, entry);
	entry->journal_error = journal_read(path, &entry->journal) ? 0 : errno;
	look_at_lock(inventory, entry);
	entry->journalled = entry->journal_error != ENOENT;
	if (!entry->journal_error && !journal_unknown_format(&entry->journal))
		parse_journal(entry);
}

static int add_journal(struct inventory *inventory, const char *name)
{
	bool emulated = strstr(name, JOURNAL_EMULATED) != NULL;
	struct device device;

	if (!journal_name_parse(name, &device))
		return STATUS_DONE;
	struct entry *entry = find(inventory, &device, emulated);
	if (!entry)
		entry = add(inventory, &device, emulated);
	if (!entry)
		return STATUS_FAILED;
	read_journal(inventory, entry);
	return STATUS_DONE;
}

static int find_journals(struct inventory *inventory)
{
	DIR *directory = opendir(JOURNAL_DIRECTORY);
	int status = STATUS_DONE;

	if (!directory && errno == ENOENT)
		return STATUS_DONE;
	if (!directory)
		return complain(STATUS_FAILED,
			"Cannot read " JOURNAL_DIRECTORY ", where the journals are (%s); run this "
			"as root.",
			strerror(errno));
	for (struct dirent *each; !status && (each = readdir(directory));)
		status = add_journal(inventory, each->d_name);
	closedir(directory);
	return status;
}

/* Finds the loop devices of devices whose journal is lost. */
static int find_loops(struct inventory *inventory)
{
	struct mount_table mounts = {.text = NULL};

	deadline_exit(DEADLINE_DEFAULT,
		"Examining the loop devices took longer than %g s; look with 'losetup -l' which of "
		"them does not answer.",
		DEADLINE_DEFAULT / 1000.0);
	int status = loop_list_read(NULL, &mounts, &inventory->loops);
	deadline_clear();
	mount_table_free(&mounts);
	for (size_t i = 0; !status && i < inventory->loops.count; i++) {
		const struct loop *loop = &inventory->loops.loops[i];

		if (!loop->tagged)
			continue;
		struct entry *entry = find(inventory, &loop->tag.device, false);
		if (!entry)
			entry = add(inventory, &loop->tag.device, false);
		if (!entry)
			return STATUS_FAILED;
		/* It may have been attached since the journals were read. */
		if (!entry->journalled)
			read_journal(inventory, entry);
		if (!entry->journalled)
			entry->loop = loop;
	}
	return status;
}

static int by_device(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;
	int order = (one->device.domid > other->device.domid) -
		    (one->device.domid < other->device.domid);

	if (!order)
		order = strcmp(one->device.type, other->device.type);
	if (!order)
		order = (one->device.devid > other->device.devid) -
			(one->device.devid < other->device.devid);
	return order ? order : one->emulated - other->emulated;
}

static void set_name(struct entry *entry)
{
	char name[VDEV_SIZE + 16];
	const char *given = entry->nodes[NODE_DEV];

	if (!strcmp(entry->device.type, "vif")) {
		given = entry->nodes[NODE_VIFNAME];
		snprintf(name, sizeof(name), "vif%u.%u", entry->device.domid, entry->device.devid);
	} else {
		vdev_name(entry->device.devid, name);
	}
	/* Longer ones are no names of disks or interfaces. */
	if (given && *given && strlen(given) < sizeof(name) / 2)
		escape(name, sizeof(name) - 4, given, strlen(given), ESCAPE_TEXT);
	snprintf(entry->name, sizeof(entry->name), "%s%s", name,
		entry->emulated ? JOURNAL_EMULATED : "");
}

/* Whether nothing is left of it by now: it was detached while this program was reading. */
static bool is_gone(const struct entry *entry)
{
	char path[JOURNAL_PATH_SIZE];

	if (entry->journalled) {
		journal_path(path, &entry->device, entry->emulated ? JOURNAL_EMULATED : "");
		return (entry->emulated || !entry->nodes[NODE_SELF]) && access(path, F_OK) != 0;
	}
	return entry->emulated || (!entry->nodes[NODE_SELF] && !entry->node_error && !entry->loop);
}

static void entry_free(struct entry *entry)
{
	free(entry->guest);
	for (size_t node = 0; node < NODES; node++)
		free(entry->nodes[node]);
	journal_free(&entry->journal);
}

static void drop_gone(struct inventory *inventory)
{
	size_t kept = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		struct entry *entry = &inventory->entries[i];

		look_at_lock(inventory, entry);
		if (is_gone(entry))
			entry_free(entry);
		else
			inventory->entries[kept++] = *entry;
	}
	inventory->count = kept;
}

int inventory_read(struct inventory *inventory)
{
	struct store store = STORE_CLOSED;

	*inventory = (struct inventory){.entries = NULL};
	inventory->locks = open(LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	/* Journals and loop devices last: devices that are attached meanwhile have nodes by then.
	 */
	int status = store_open(&store);
	if (!status) {
		deadline_store(DEADLINE_DEFAULT);
		status = find_nodes(&store, inventory);
		deadline_clear();
	}
	if (!status)
		status = find_journals(inventory);
	if (!status)
		status = find_loops(inventory);
	if (!status) {
		deadline_store(DEADLINE_DEFAULT);
		status = read_nodes(&store, inventory);
		deadline_clear();
	}
	store_close(&store);
	if (status)
		return status;
	drop_gone(inventory);
	if (!inventory->count)
		return STATUS_DONE;
	qsort(inventory->entries, inventory->count, sizeof(*inventory->entries), by_device);
	for (size_t i = 0; i < inventory->count; i++)
		set_name(&inventory->entries[i]);
	return STATUS_DONE;
}

void inventory_free(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++)
		entry_free(&inventory->entries[i]);
	if (inventory->locks >= 0)
		close(inventory->locks);
	free(inventory->entries);
	loop_list_free(&inventory->loops);
	*inventory = (struct inventory){.locks = -1};
}

struct named entry_named(const struct entry *entry)
{
	return (struct named){.device = &entry->device,
		.emulated = entry->emulated,
		.guest = entry->guest,
		.name = entry->name};
}

const char *entry_text(const struct entry *entry, char text[ENTRY_TEXT_SIZE])
{
	char device[DEVICE_TEXT_SIZE];

	snprintf(text, ENTRY_TEXT_SIZE, "%s%s", device_text(&entry->device, device),
		entry->emulated ? JOURNAL_EMULATED : "");
	return text;
}
