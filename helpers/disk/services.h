/* SPDX-License-Identifier: LGPL-2.1-only */
/* The programs that serve guests' disks, as the store records them. */
#ifndef SERVICES_H
#define SERVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "device.h"
#include "store.h"

/* The programs, by the type of the devices that they serve: qdisk, vbd3, virtio_disk. */
enum program { QEMU, TAPDISK, VIRTIO, PROGRAMS };

/* A program that serves a guest. */
struct service {
	unsigned domid;
	enum program program;
};

/* A device of such a guest. */
struct served_device {
	struct device device;
	struct service service;
	char *params;
};

/* A process that was such a program when it was recorded. */
struct server {
	struct service service;
	unsigned pid;
};

struct services {
	struct served_device *devices;
	size_t device_count, device_room;
	struct server *servers;
	size_t server_count, server_room;
	struct service *wanted; /* those whose process is not known (yet): at first, all */
	size_t wanted_count, wanted_room;
};

/*
 * Reads the devices of these types in the siblings of `base`, and the toolstack's records of device
 * models and of processes: ~GUEST/image/device-model-pid; libxl/DOMID/qdisk-backend-pid (driver
 * domains); qemu-dom0.pid (domain 0); the name of tapdisk's socket. See libxl_dm.c,
 * tools/hotplug/Linux/block-tap and systemd/xen-qemu-dom0-disk-backend.service in Xen's sources.
 * Costs two requests if there are none.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint. The caller frees *services in either
 * case.
 */
int services_read(struct store *store, const char *base, struct services *services);

/* Frees the lists, and empties them. */
void services_free(struct services *services);

/* Whether the service is among the wanted ones. */
bool services_want(const struct services *services, const struct service *service);

/* Removes a service whose process is known from the wanted ones. */
void services_found(struct services *services, const struct service *service);

/* Removes those that have no device: a device model without a process serves nothing. */
void services_forget_idle(struct services *services);

/* Whether domain and program are equal. */
bool service_equal(const struct service *a, const struct service *b);

/* The process id in the path of tapdisk's socket, /run/blktap-control/nbdPID.MINOR; or 0. */
unsigned services_socket_pid(const char *path);

#endif
