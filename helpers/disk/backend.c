/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whether a guest's device still has a backend. */
#include "backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel's backends: linux, drivers/xen/xenbus/xenbus_probe_backend.c. */
#define KERNEL_BACKENDS "/sys/bus/xen-backend/devices"

bool backend_in_kernel(const struct device *device)
{
	char path[sizeof(KERNEL_BACKENDS) + DEVICE_TEXT_SIZE + 4];

	snprintf(path, sizeof(path), KERNEL_BACKENDS "/%s-%u-%u", device->type, device->domid,
		device->devid);
	return !access(path, F_OK);
}

enum backend backend_find(struct store *store, const char *base, const struct device *device)
{
	const char *slash = strrchr(base, '/');
	char text[DEVICE_TEXT_SIZE], path[STORE_PATH_SIZE], *value;
	size_t length;
	int written = snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash + 1 - base) : 0,
		base, device_text(device, text));

	errno = ENAMETOOLONG;
	if (written < 0 || (size_t)written >= sizeof(path))
		return BACKEND_UNKNOWN;
	switch (store_read(store, XBT_NULL, path, &value, &length)) {
	case STORE_VALUE:
		free(value);
		return BACKEND_NODES;
	case STORE_NONE:
		return backend_in_kernel(device) ? BACKEND_KERNEL : BACKEND_GONE;
	case STORE_ERROR:
		break;
	}
	return BACKEND_UNKNOWN;
}
