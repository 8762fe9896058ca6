/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the kernel says of its device-mapper devices. */
#ifndef DM_H
#define DM_H

#include <stdbool.h>
#include <sys/types.h>

#include "dmtable.h"

/*
 * Reads the table of a block device. Result: false where it is no device-mapper device or the
 * kernel does not tell its table; otherwise to be freed with dm_table_free().
 */
bool dm_table_read(dev_t number, struct dm_table *table);

/* Wipes it, since it may hold the key of an encrypted device, and frees it. */
void dm_table_free(struct dm_table *table);

#endif
