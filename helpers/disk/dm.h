/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reads tables of device-mapper from the kernel. */
#ifndef DM_H
#define DM_H

#include <stdbool.h>
#include <sys/types.h>

#include "dmtable.h"

/*
 * Reads the table of a block device. Result: false if it is not a device-mapper device or the
 * kernel does not return a table with targets; otherwise the caller frees *table with
 * dm_table_free().
 */
bool dm_table_read(dev_t number, struct dm_table *table);

/* Wipes the table, because it can contain the key of an encrypted device, and frees it. */
void dm_table_free(struct dm_table *table);

#endif
