/* SPDX-License-Identifier: LGPL-2.1-only */
/* Restores the rules of guests' interfaces that other programs have removed. */
#ifndef REPAIR_H
#define REPAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "disk/device.h"

/* Which interfaces are to be looked at; {0} is none. Free it with repair_free(). */
struct repair {
	bool all;    /* those with rules of any kind */
	bool shared; /* those with rules that guests share */
	struct device *devices;
	size_t device_count, device_room;
	unsigned *links; /* those whose index is one of these */
	size_t link_count, link_room;
};

/* Adds a device, or an interface's index. If memory runs out, all are to be looked at. */
void repair_add_device(struct repair *repair, const struct device *device);

/* Adds an interface by its index likewise. */
void repair_add_link(struct repair *repair, unsigned index);

/* Whether there is nothing to look at. */
bool repair_is_empty(const struct repair *repair);

/*
 * Starts the script of each of these that is attached, to check its rules and to restore them (the
 * verb repair). Of interfaces that only share rules, one for each kind of these is started. The
 * scripts print what they have restored. Afterwards *repair has the devices on which another script
 * works: they are not waited for.
 * Result: whether all others are as they should be; if not, a sentence for each is complained.
 */
bool repair_run(struct repair *repair);

/* Frees what it holds, and makes it empty. */
void repair_free(struct repair *repair);

#endif
