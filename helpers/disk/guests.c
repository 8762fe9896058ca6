/* SPDX-License-Identifier: LGPL-2.1-only */
/* Guests' devices that use a disk according to the store. */
#include "guests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bulk.h"
#include "message.h"
#include "number.h"
#include "status.h"

struct scan {
	struct store *store;
	const char *base;
	const char *node;
	guest_take *take;
	void *context;
	unsigned *domids;
	size_t domid_count;
	size_t *too_large; /* indexes of domids with more devices than fit into a reply */
	size_t too_large_count;
	struct guest_list all; /* devices of all guests */
};

/* Complains about a node that may name a user of the disk. */
static int complain_unreadable(const char *path, int error)
{
	if (store_is_broken(error))
		return store_complain_broken(error);
	return complain(STATUS_FAILED,
		"Cannot read %s in the store (%s), so the users of the disk are unknown; check "
		"the node's permissions with 'xenstore-ls -p'.",
		QUOTED(path), strerror(error));
}

int guests_list_children(struct store *store, const char *path, char ***names, unsigned *count)
{
	errno = 0;
	*count = 0;
	*names = xs_directory(store->xs, XBT_NULL, path, count);
	if (*names || errno == ENOENT)
		return STATUS_DONE;
	return complain_unreadable(path, errno ? errno : EPROTO);
}

static int list_domains(struct scan *scan)
{
	char **names;
	unsigned count;
	int status = guests_list_children(scan->store, scan->base, &names, &count);

	if (status)
		return status;
	scan->domids = calloc(count + 1UL, sizeof(*scan->domids));
	if (!scan->domids)
		status = complain_memory();
	for (unsigned i = 0; i < count && !status; i++)
		if (parse_domid(names[i], &scan->domids[scan->domid_count]))
			scan->domid_count++;
	free(names);
	return status;
}

int guest_list_add(struct guest_list *list, const struct guest_device *added)
{
	struct guest_device *devices =
		array_room(list->devices, list->count, &list->room, sizeof(*devices));

	if (!devices)
		return complain_memory();
	list->devices = devices;
	devices[list->count++] = *added;
	return STATUS_DONE;
}

static int add_device(struct scan *scan, unsigned domid, const char *name)
{
	const char *slash = strrchr(scan->base, '/');
	struct guest_device added = {.device = {.domid = domid}};

	if (!parse_devid(name, &added.device.devid))
		return STATUS_DONE;
	snprintf(
		added.device.type, sizeof(added.device.type), "%s", slash ? slash + 1 : scan->base);
	return guest_list_add(&scan->all, &added);
}

static bool domain_path(void *context, size_t index, char *path)
{
	const struct scan *scan = context;
	int length = snprintf(path, STORE_PATH_SIZE, "%s/%u", scan->base, scan->domids[index]);

	return length > 0 && length < STORE_PATH_SIZE;
}

static int take_domain(void *context, size_t index, int error, const char *data, size_t length)
{
	struct scan *scan = context;
	int status = STATUS_DONE;

	if (error == ENOENT) /* removed since it was listed */
		return STATUS_DONE;
	if (error == E2BIG) {
		scan->too_large[scan->too_large_count++] = index;
		return STATUS_DONE;
	}
	if (error)
		return complain_unreadable(scan->base, error);
	/* The last name need not end in a NUL, but bulk_ask() adds one after the data. */
	for (size_t at = 0; at < length && !status; at += strlen(data + at) + 1)
		status = add_device(scan, scan->domids[index], data + at);
	return status;
}

/* A guest with hundreds of devices; libxenstore fetches their names in parts. */
static int list_large_domain(struct scan *scan, size_t index)
{
	char path[STORE_PATH_SIZE];
	char **names;
	unsigned count;

	domain_path(scan, index, path);
	int status = guests_list_children(scan->store, path, &names, &count);
	for (unsigned i = 0; i < count && !status; i++)
		status = add_device(scan, scan->domids[index], names[i]);
	free(names);
	return status;
}

static int list_devices(struct scan *scan)
{
	const struct bulk bulk = {
		.kind = BULK_DIRECTORY,
		.count = scan->domid_count,
		.context = scan,
		.path = domain_path,
		.answer = take_domain,
	};

	scan->too_large = calloc(scan->domid_count + 1, sizeof(*scan->too_large));
	if (!scan->too_large)
		return complain_memory();
	int status = bulk_ask(scan->store, &bulk);
	for (size_t i = 0; i < scan->too_large_count && !status; i++)
		status = list_large_domain(scan, scan->too_large[i]);
	return status;
}

static bool device_path(void *context, size_t index, char *path)
{
	const struct scan *scan = context;
	const struct device *device = &scan->all.devices[index].device;
	int length = snprintf(path, STORE_PATH_SIZE, "%s/%u/%u/%s", scan->base, device->domid,
		device->devid, scan->node);

	return length > 0 && length < STORE_PATH_SIZE;
}

static int take_value(void *context, size_t index, int error, const char *data, size_t length)
{
	struct scan *scan = context;
	char path[STORE_PATH_SIZE];

	(void)length;
	if (error == ENOENT) /* it has no disk (yet, or any more) */
		return STATUS_DONE;
	if (error)
		return complain_unreadable(
			device_path(scan, index, path) ? path : scan->base, error);
	return scan->take(scan->context, &scan->all.devices[index].device, data);
}

static int read_values(struct scan *scan)
{
	const struct bulk bulk = {
		.kind = BULK_READ,
		.count = scan->all.count,
		.context = scan,
		.path = device_path,
		.answer = take_value,
	};

	return bulk_ask(scan->store, &bulk);
}

int guests_each(
	struct store *store, const char *base, const char *node, guest_take *take, void *context)
{
	struct scan scan = {
		.store = store, .base = base, .node = node, .take = take, .context = context};
	int status = list_domains(&scan);

	if (!status && scan.domid_count)
		status = list_devices(&scan);
	if (!status)
		status = read_values(&scan);
	guest_list_free(&scan.all);
	free(scan.domids);
	free(scan.too_large);
	return status;
}

struct search {
	const struct relatives *relatives;
	struct guest_list *list;
};

static int take_number(void *context, const struct device *device, const char *value)
{
	const struct search *search = context;
	struct guest_device found = {.device = *device};
	const struct relative *relative;

	if (!parse_physical_device(value, &found.number))
		return STATUS_DONE;
	relative = relatives_get(search->relatives, found.number);
	if (!relative || !relative->overlap.any)
		return STATUS_DONE;
	found.overlap = relative->overlap;
	return guest_list_add(search->list, &found);
}

int guests_find(struct store *store, const char *base, const struct relatives *relatives,
	struct guest_list *list)
{
	struct search search = {.relatives = relatives, .list = list};

	return guests_each(store, base, "physical-device", take_number, &search);
}

void guest_list_free(struct guest_list *list)
{
	free(list->devices);
	*list = (struct guest_list){.devices = NULL};
}
