/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which guests' devices the store says to be on certain block devices. */
#include "guests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "message.h"
#include "status.h"

struct scan {
	struct store *store;
	const char *base;
	const struct relatives *relatives;
	unsigned *domids;
	size_t domid_count;
	size_t *too_large; /* indexes of domids with more devices than fit an answer */
	size_t too_large_count;
	struct guest_list all; /* devices of all guests, then those found */
	size_t room;
};

static int out_of_memory(void)
{
	return complain(STATUS_FAILED, "Memory ran out; free some and try again.");
}

/* Complains about a node without which the users are not known. */
static int complain_unreadable(const char *path, int error)
{
	if (store_is_broken(error))
		return store_complain_broken(error);
	return complain(STATUS_FAILED,
		"Cannot read %s in the store (%s), so nobody knows who uses the disk; see its "
		"permissions with 'xenstore-ls -p'.",
		QUOTED(path), strerror(error));
}

/* The children of a node. Result: STATUS_DONE with *names NULL where there is no such node. */
static int list_children(struct store *store, const char *path, char ***names, unsigned *count)
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
	int status = list_children(scan->store, scan->base, &names, &count);

	if (status)
		return status;
	scan->domids = calloc(count + 1UL, sizeof(*scan->domids));
	if (!scan->domids)
		status = out_of_memory();
	for (unsigned i = 0; i < count && !status; i++)
		if (parse_domid(names[i], &scan->domids[scan->domid_count]))
			scan->domid_count++;
	free(names);
	return status;
}

static int add_device(struct scan *scan, unsigned domid, const char *name)
{
	struct guest_list *all = &scan->all;
	const char *slash = strrchr(scan->base, '/');
	struct guest_device added = {.device = {.domid = domid}};

	if (!parse_devid(name, &added.device.devid))
		return STATUS_DONE;
	snprintf(
		added.device.type, sizeof(added.device.type), "%s", slash ? slash + 1 : scan->base);
	if (all->count == scan->room) {
		size_t room = 2 * scan->room + 16;
		struct guest_device *devices = reallocarray(all->devices, room, sizeof(*devices));

		if (!devices)
			return out_of_memory();
		all->devices = devices;
		scan->room = room;
	}
	all->devices[all->count++] = added;
	return STATUS_DONE;
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

	if (error == ENOENT) /* it was removed meanwhile */
		return STATUS_DONE;
	if (error == E2BIG) {
		scan->too_large[scan->too_large_count++] = index;
		return STATUS_DONE;
	}
	if (error)
		return complain_unreadable(scan->base, error);
	/* The last name need not end in NUL, but one stands behind the data. */
	for (size_t at = 0; at < length && !status; at += strlen(data + at) + 1)
		status = add_device(scan, scan->domids[index], data + at);
	return status;
}

/* A guest with hundreds of devices: the library fetches their names in parts. */
static int list_large_domain(struct scan *scan, size_t index)
{
	char path[STORE_PATH_SIZE];
	char **names;
	unsigned count;

	domain_path(scan, index, path);
	int status = list_children(scan->store, path, &names, &count);
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
		return out_of_memory();
	int status = bulk_ask(scan->store, &bulk);
	for (size_t i = 0; i < scan->too_large_count && !status; i++)
		status = list_large_domain(scan, scan->too_large[i]);
	return status;
}

static bool device_path(void *context, size_t index, char *path)
{
	const struct scan *scan = context;
	const struct device *device = &scan->all.devices[index].device;
	int length = snprintf(path, STORE_PATH_SIZE, "%s/%u/%u/physical-device", scan->base,
		device->domid, device->devid);

	return length > 0 && length < STORE_PATH_SIZE;
}

static int take_number(void *context, size_t index, int error, const char *data, size_t length)
{
	struct scan *scan = context;
	char path[STORE_PATH_SIZE];
	dev_t number;

	(void)length;
	if (error == ENOENT) /* nothing was given to it (yet, or any more) */
		return STATUS_DONE;
	if (error)
		return complain_unreadable(
			device_path(scan, index, path) ? path : scan->base, error);
	/* 0:0 is no block device: it marks those that are found. */
	if (parse_physical_device(data, &number) && relatives_have(scan->relatives, number))
		scan->all.devices[index].number = number;
	return STATUS_DONE;
}

static int read_numbers(struct scan *scan)
{
	const struct bulk bulk = {
		.kind = BULK_READ,
		.count = scan->all.count,
		.context = scan,
		.path = device_path,
		.answer = take_number,
	};

	return bulk_ask(scan->store, &bulk);
}

static void keep_found(struct guest_list *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++)
		if (all->devices[i].number)
			all->devices[kept++] = all->devices[i];
	all->count = kept;
}

int guests_find(struct store *store, const char *base, const struct relatives *relatives,
	struct guest_list *list)
{
	struct scan scan = {.store = store, .base = base, .relatives = relatives};
	int status = list_domains(&scan);

	if (!status)
		status = list_devices(&scan);
	if (!status)
		status = read_numbers(&scan);
	keep_found(&scan.all);
	*list = scan.all;
	free(scan.domids);
	free(scan.too_large);
	return status;
}

void guest_list_free(struct guest_list *list)
{
	free(list->devices);
	*list = (struct guest_list){NULL, 0};
}
