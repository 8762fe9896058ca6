/* SPDX-License-Identifier: LGPL-2.1-only */
/* Tables of device-mapper, which map a device to the devices below it. */
#ifndef DMTABLE_H
#define DMTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The reply to the ioctl DM_TABLE_STATUS: a sequence of targets (linux/dm-ioctl.h). */
struct dm_table {
	void *buffer; /* to be freed, or NULL */
	size_t buffer_size;
	const char *targets;
	size_t size, count;
};

/* One target: a range of the device in bytes, and its mapping. The strings point into the table. */
struct dm_target {
	uint64_t start, length;
	const char *type, *parameters;
};

/*
 * Reads the target at *at (initially 0), and sets *at to the next one. Result: false after the last
 * one, and if the rest is malformed.
 */
bool dm_target_next(const struct dm_table *table, size_t *at, struct dm_target *target);

enum dm_kind {
	DM_UNKNOWN,  /* somewhere on the devices below */
	DM_NOTHING,  /* on no device: zero, error */
	DM_STRIPES,  /* alternating over the legs, `chunk` bytes each: linear, crypt, striped */
	DM_PATHS,    /* the same bytes on each device below: multipath */
	DM_THIN,     /* volume `id` of the pool legs[0]; legs[1], if any, for unwritten parts */
	DM_ORIGIN,   /* the same bytes of legs[0]; its snapshots do not see writes */
	DM_SNAPSHOT, /* read from legs[0], written to legs[1] */
};

struct dm_leg {
	dev_t device;
	uint64_t start; /* in bytes */
};

/* More than LVM creates. A target with more legs is DM_UNKNOWN. */
#define DM_LEGS 128

/* The mapping of a target. */
struct dm_map {
	enum dm_kind kind;
	uint64_t chunk, id;
	struct dm_leg legs[DM_LEGS];
	size_t leg_count;
};

/* Parses the mapping of a target; malformed parameters give DM_UNKNOWN. */
void dm_map_parse(const struct dm_target *target, struct dm_map *map);

#endif
