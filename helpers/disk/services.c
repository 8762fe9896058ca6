/* SPDX-License-Identifier: LGPL-2.1-only */
/* The programs that serve guests' disks, as the store records them. */
#include "services.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bulk.h"
#include "guests.h"
#include "message.h"
#include "number.h"
#include "status.h"
#include "textfile.h"

/* libxl's XEN_RUN_DIR; the file's name is in xen-qemu-dom0-disk-backend.service. */
#define DOM0_PID_FILE "/run/xen/qemu-dom0.pid"

static const char *const types[PROGRAMS] = {"qdisk", "vbd3", "virtio_disk"};

struct search {
	struct store *store;
	struct services *all;
	const char *home; /* in front of "backend" in the store: "" or a path with a slash */
	int home_length;
	enum program program; /* of the devices that are read */
};

unsigned services_socket_pid(const char *path)
{
	const char *name = strrchr(path, '/'), *end;
	unsigned long long pid;

	if (!name || strncmp(name, "/nbd", 4) != 0 ||
		!parse_number(name + 4, INT32_MAX, &pid, &end) || *end != '.')
		return 0;
	return (unsigned)pid;
}

bool service_equal(const struct service *a, const struct service *b)
{
	return a->domid == b->domid && a->program == b->program;
}

bool services_want(const struct services *services, const struct service *service)
{
	for (size_t i = 0; i < services->wanted_count; i++)
		if (service_equal(&services->wanted[i], service))
			return true;
	return false;
}

void services_found(struct services *services, const struct service *service)
{
	size_t kept = 0;

	for (size_t i = 0; i < services->wanted_count; i++)
		if (!service_equal(&services->wanted[i], service))
			services->wanted[kept++] = services->wanted[i];
	services->wanted_count = kept;
}

static bool has_device(const struct services *services, const struct service *service)
{
	for (size_t i = 0; i < services->device_count; i++)
		if (service_equal(&services->devices[i].service, service))
			return true;
	return false;
}

void services_forget_idle(struct services *services)
{
	size_t kept = 0;

	for (size_t i = 0; i < services->wanted_count; i++)
		if (has_device(services, &services->wanted[i]))
			services->wanted[kept++] = services->wanted[i];
	services->wanted_count = kept;
}

static int add_wanted(struct search *search, const struct service *service)
{
	if (services_want(search->all, service))
		return STATUS_DONE;
	struct service *wanted = array_room(search->all->wanted, search->all->wanted_count,
		&search->all->wanted_room, sizeof(*wanted));
	if (!wanted)
		return complain_memory();
	search->all->wanted = wanted;
	wanted[search->all->wanted_count++] = *service;
	return STATUS_DONE;
}

static int add_server(struct search *search, const struct server *server)
{
	struct server *servers = array_room(search->all->servers, search->all->server_count,
		&search->all->server_room, sizeof(*servers));

	if (!servers)
		return complain_memory();
	search->all->servers = servers;
	servers[search->all->server_count++] = *server;
	return STATUS_DONE;
}

/* Takes the node `params` of a served device. */
static int take_device(void *context, const struct device *device, const char *params)
{
	struct search *search = context;
	const struct service service = {device->domid, search->program};
	struct served_device *devices = array_room(search->all->devices, search->all->device_count,
		&search->all->device_room, sizeof(*devices));

	if (!devices)
		return complain_memory();
	search->all->devices = devices;
	devices[search->all->device_count] =
		(struct served_device){*device, service, strdup(params)};
	if (!devices[search->all->device_count].params)
		return complain_memory();
	search->all->device_count++;
	return add_wanted(search, &service);
}

/* Takes the path of the socket that tapdisk serves a device by. */
static int take_socket(void *context, const struct device *device, const char *path)
{
	const struct server server = {{device->domid, TAPDISK}, services_socket_pid(path)};

	return server.pid ? add_server(context, &server) : STATUS_DONE;
}

static int find_devices_of(struct search *search, enum program program)
{
	char path[STORE_PATH_SIZE];
	int length = snprintf(path, sizeof(path), "%.*sbackend/%s", search->home_length,
		search->home, types[program]);

	if (length < 0 || length >= STORE_PATH_SIZE)
		return STATUS_DONE;
	search->program = program;
	int status = guests_each(search->store, path, "params", take_device, search);
	if (!status && program == TAPDISK)
		status = guests_each(
			search->store, path, "physical-device-path", take_socket, search);
	return status;
}

static int find_devices(struct search *search)
{
	char path[STORE_PATH_SIZE];
	char **names;
	unsigned count;

	snprintf(path, sizeof(path), "%.*sbackend", search->home_length, search->home);
	int status = guests_list_children(search->store, path, &names, &count);
	for (unsigned i = 0; i < count && !status; i++)
		for (int program = 0; program < PROGRAMS && !status; program++)
			if (!strcmp(names[i], types[program]))
				status = find_devices_of(search, (enum program)program);
	free(names);
	return status;
}

/*
 * The toolstack has a node for each device model that it has started. Domain 0's is always there,
 * and has no disk but those of the nodes of type qdisk.
 */
static int find_device_models(struct search *search)
{
	char path[STORE_PATH_SIZE];
	char **names;
	unsigned count, domid;

	snprintf(path, sizeof(path), "%.*sdevice-model", search->home_length, search->home);
	int status = guests_list_children(search->store, path, &names, &count);
	for (unsigned i = 0; i < count && !status; i++)
		if (parse_domid(names[i], &domid) && domid)
			status = add_wanted(search, &(struct service){domid, QEMU});
	free(names);
	return status;
}

/* Two records of QEMU for each domain. */
static bool record_path(void *context, size_t index, char *path)
{
	const struct search *search = context;
	unsigned domid = search->all->wanted[index / 2].domid;
	int length = index % 2 ? snprintf(path, STORE_PATH_SIZE, "%.*slibxl/%u/qdisk-backend-pid",
					 search->home_length, search->home, domid)
			       : snprintf(path, STORE_PATH_SIZE,
					 "/local/domain/%u/image/device-model-pid", domid);

	return length > 0 && length < STORE_PATH_SIZE;
}

/* A record that is missing or cannot be read (in a driver domain) leaves the process unknown. */
static int take_record(void *context, size_t index, int error, const char *data, size_t length)
{
	struct search *search = context;
	struct server server = {.service = {search->all->wanted[index / 2].domid, QEMU}};

	(void)length;
	if (error || !parse_unsigned(data, INT32_MAX, &server.pid) || !server.pid)
		return STATUS_DONE;
	return add_server(search, &server);
}

static int find_servers(struct search *search)
{
	const struct bulk bulk = {
		.kind = BULK_READ,
		.count = 2 * search->all->wanted_count,
		.context = search,
		.path = record_path,
		.answer = take_record,
	};
	struct server dom0 = {.service = {0, QEMU}};
	uint64_t pid;

	if (services_want(search->all, &dom0.service) &&
		textfile_number(AT_FDCWD, DOM0_PID_FILE, &pid) && pid && pid <= INT32_MAX) {
		dom0.pid = (unsigned)pid;
		if (add_server(search, &dom0))
			return STATUS_FAILED;
	}
	return bulk_ask(search->store, &bulk);
}

/* The length of what is in front of "backend/TYPE" in `base`, or -1. */
static int home_length(const char *base)
{
	const char *slash = strrchr(base, '/');
	size_t word = strlen("backend");

	if (!slash || strlen(base) >= STORE_PATH_SIZE || (size_t)(slash - base) < word ||
		strncmp(slash - word, "backend", word) != 0)
		return -1;
	return (int)(slash - word - base);
}

int services_read(struct store *store, const char *base, struct services *services)
{
	struct search search = {
		.store = store, .all = services, .home = base, .home_length = home_length(base)};

	*services = (struct services){.devices = NULL};
	if (search.home_length < 0)
		return STATUS_DONE;
	int status = find_devices(&search);
	if (!status)
		status = find_device_models(&search);
	if (!status && services->wanted_count)
		status = find_servers(&search);
	return status;
}

void services_free(struct services *services)
{
	for (size_t i = 0; i < services->device_count; i++)
		free(services->devices[i].params);
	free(services->devices);
	free(services->servers);
	free(services->wanted);
	*services = (struct services){.devices = NULL};
}
