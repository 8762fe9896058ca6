/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reads tables of device-mapper from the kernel. */
#include "dm.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "blockdev.h"

#define SMALLEST_REPLY 16384U
#define LARGEST_REPLY (SMALLEST_REPLY << 10)

void dm_table_free(struct dm_table *table)
{
	if (table->buffer)
		explicit_bzero(table->buffer, table->buffer_size);
	free(table->buffer);
	*table = (struct dm_table){NULL, 0, NULL, 0, 0};
}

/*
 * Requests the table with `room` bytes for it. Result: whether the kernel replied; table->targets
 * stays NULL if the room was too small.
 */
static bool ask(int control, dev_t number, uint32_t room, struct dm_table *table)
{
	struct dm_ioctl *request = calloc(1, room);

	if (!request)
		return false;
	*request = (struct dm_ioctl){
		.version = {DM_VERSION_MAJOR, 0, 0},
		.data_size = room,
		.data_start = sizeof(*request),
		.flags = DM_STATUS_TABLE_FLAG | DM_NOFLUSH_FLAG | DM_SECURE_DATA_FLAG,
		.dev = number,
	};
	*table = (struct dm_table){.buffer = request, .buffer_size = room};
	if (ioctl(control, DM_TABLE_STATUS, request))
		return false;
	if (request->flags & DM_BUFFER_FULL_FLAG || request->data_size > room ||
		request->data_start > request->data_size)
		return true;
	table->targets = (const char *)request + request->data_start;
	table->size = request->data_size - request->data_start;
	table->count = request->target_count;
	return true;
}

bool dm_table_read(dev_t number, struct dm_table *table)
{
	bool replied = true;

	*table = (struct dm_table){.buffer = NULL};
	if (!blockdev_is_dm(number))
		return false;
	int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return false;
	for (uint32_t room = SMALLEST_REPLY; replied && !table->targets && room <= LARGEST_REPLY;
		room *= 4) {
		dm_table_free(table);
		replied = ask(control, number, room, table);
	}
	close(control);
	/* A device that is being created has no targets yet; sysfs shows the devices below it. */
	if (replied && table->count)
		return true;
	dm_table_free(table);
	return false;
}
