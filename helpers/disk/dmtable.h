/* SPDX-License-Identifier: LGPL-2.1-only */
/* Tables of device-mapper: which bytes of which devices a device is made of. */
#ifndef DMTABLE_H
#define DMTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The answer to the ioctl DM_TABLE_STATUS: targets one behind the other (linux/dm-ioctl.h). */
struct dm_table {
	void *buffer; /* what is to be freed; NULL: nothing */
	size_t buffer_size;
	const char *targets;
	size_t size, count;
};

/* One target: a range of the device in bytes, and what is there. The texts are the table's. */
struct dm_target {
	uint64_t start, length;
	const char *type, *parameters;
};

/*
 * The target at *at (at first 0), which goes on to the next one. Result: false behind the last one,
 * and where the rest makes no sense.
 */
bool dm_target_next(const struct dm_table *table, size_t *at, struct dm_target *target);

enum dm_kind {
	DM_UNKNOWN,  /* somewhere on the devices below */
	DM_NOTHING,  /* on none of them: zero, error */
	DM_STRIPES,  /* in turn on the legs, `chunk` bytes each: linear, crypt, striped */
	DM_PATHS,    /* the same bytes of each device below: multipath */
	DM_THIN,     /* volume `id` of the pool legs[0], and unwritten parts from legs[1] */
	DM_ORIGIN,   /* the same bytes of legs[0], kept from its snapshots */
	DM_SNAPSHOT, /* read from legs[0], written to legs[1] */
};

struct dm_leg {
	dev_t device;
	uint64_t start; /* in bytes */
};

/* More than LVM makes; what has more is DM_UNKNOWN. */
#define DM_LEGS 128

/* Where the bytes of a target are. */
struct dm_map {
	enum dm_kind kind;
	uint64_t chunk, id;
	struct dm_leg legs[DM_LEGS];
	size_t leg_count;
};

/* Finds out where they are; parameters that make no sense are DM_UNKNOWN. */
void dm_map_parse(const struct dm_target *target, struct dm_map *map);

#endif
