/* SPDX-License-Identifier: LGPL-2.1-only */
/* The bytes of a disk, resolved through all layers. */
#include "identity.h"

#include <errno.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "array.h"
#include "blockdev.h"
#include "dm.h"
#include "dmtable.h"
#include "filesystem.h"
#include "loop.h"
#include "looplist.h"
#include "number.h"

#define MOST_EXTENTS 65536

/* A range of a device on the way to the bottom, and the number of layers passed. */
struct step {
	struct identity *identity;
	struct identity_cache *cache;
	struct extent extent;
	unsigned depth;
};

static const struct partition *find_partition(const struct identity_cache *cache, dev_t number)
{
	for (size_t i = 0; i < cache->count; i++)
		if (cache->partitions[i].number == number)
			return &cache->partitions[i];
	return NULL;
}

/* If memory runs out, the partition is not cached. */
static void add_partition(struct identity_cache *cache, const struct partition *partition)
{
	struct partition *partitions =
		array_room(cache->partitions, cache->count, &cache->room, sizeof(*partitions));
	if (!partitions)
		return;
	cache->partitions = partitions;
	partitions[cache->count++] = *partition;
}

void identity_cache_free(struct identity_cache *cache)
{
	free(cache->partitions);
	mount_table_free(&cache->mounts);
	*cache = (struct identity_cache){.partitions = NULL};
}

static bool add_extent(const struct step *step, const struct base *base)
{
	struct identity *identity = step->identity;

	if (identity->extent_count == MOST_EXTENTS) {
		errno = E2BIG;
		return false;
	}
	struct extent *extents = array_room(identity->extents, identity->extent_count,
		&identity->extent_room, sizeof(*extents));
	if (!extents)
		return false;
	identity->extents = extents;
	extents[identity->extent_count] = step->extent;
	extents[identity->extent_count++].base = *base;
	return true;
}

static bool add_layer(struct identity *identity, dev_t number)
{
	if (identity_has_layer(identity, number))
		return true;
	dev_t *layers = array_room(
		identity->layers, identity->layer_count, &identity->layer_room, sizeof(*layers));
	if (!layers)
		return false;
	identity->layers = layers;
	layers[identity->layer_count++] = number;
	return true;
}

static bool descend(const struct step *from, dev_t number);

/* Descends to the device below, where this one is `length` bytes from `start` on. */
static bool descend_to_range(const struct step *step, dev_t below, uint64_t start, uint64_t length)
{
	struct step next = *step;

	extent_map_down(&next.extent, start, length);
	return descend(&next, below);
}

/* A file on the way to the devices of its file system. */
struct file_step {
	const struct step *step;
	const struct file *file;
};

/* The file's position on the device is unknown, but its file system has no other file there. */
static bool descend_file_system(dev_t device, void *context)
{
	const struct file_step *from = context;
	struct step next = *from->step;

	extent_lose_position(
		&next.extent, device, extent_file_view(from->file->dev, from->file->ino));
	next.extent.beneath = true;
	return descend(&next, device);
}

/* Adds a range of a file, and descends to the devices of its file system. */
static bool descend_file(const struct step *step, const struct file *file)
{
	const struct base base = {.file = true, .dev = file->dev, .ino = file->ino};
	struct file_step next = {.step = step, .file = file};

	return add_extent(step, &base) &&
	       filesystem_each_device(file, &step->cache->mounts, descend_file_system, &next);
}

/* Descends from a loop device to its block device or file. */
static bool descend_loop(const struct step *step, dev_t number, const struct loop_info64 *info)
{
	uint64_t limit = info->lo_sizelimit ? info->lo_sizelimit : EXTENT_TO_END;
	char path[LOOP_FILE_SIZE];
	struct step next = *step;
	struct file file;

	if (info->lo_rdevice)
		return descend_to_range(step, (dev_t)info->lo_rdevice, info->lo_offset, limit);
	loop_bottom_file(number, info, &step->cache->mounts, path, &file);
	extent_map_down(&next.extent, info->lo_offset, limit);
	return descend_file(&next, &file);
}

static bool descend_to_slave(dev_t slave, void *context)
{
	return descend(context, slave);
}

/* Descends to each device below. The position there is unknown. */
static bool descend_to_all(const struct step *step, dev_t number)
{
	struct step next = *step;

	extent_lose_position(&next.extent, number, VIEW_WHOLE);
	return blockdev_each_slave(number, descend_to_slave, &next);
}

/* The end of a range of the striped device, as an offset in one of its stripes. */
static uint64_t stripe_end(const struct dm_map *map, size_t stripe, uint64_t end)
{
	uint64_t round = map->chunk * map->leg_count;
	uint64_t before = stripe * map->chunk;
	uint64_t rest = end % round;
	uint64_t last = rest < before ? 0 : rest - before < map->chunk ? rest - before : map->chunk;

	return end / round * map->chunk + last;
}

static bool descend_stripes(const struct step *step, const struct dm_map *map)
{
	uint64_t end = step->extent.start + step->extent.length;
	bool done = true;

	for (size_t i = 0; i < map->leg_count && done; i++) {
		struct step next = *step;

		next.extent.start = stripe_end(map, i, step->extent.start);
		next.extent.length = stripe_end(map, i, end) - next.extent.start;
		extent_map_down(&next.extent, map->legs[i].start, EXTENT_TO_END);
		done = descend(&next, map->legs[i].device);
	}
	return done;
}

/* A thin volume reads its blocks from the pool, and from the origin before they are written. */
static bool descend_thin(const struct step *step, const struct dm_map *map)
{
	struct step pool = *step, origin = *step;

	extent_lose_position(&pool.extent, map->legs[0].device, VIEW_THIN + map->id);
	origin.extent.read_only = true;
	return descend(&pool, map->legs[0].device) &&
	       (map->leg_count == 1 || descend(&origin, map->legs[1].device));
}

static bool descend_origin(const struct step *step, const struct dm_map *map)
{
	struct step next = *step;

	extent_add_view(&next.extent, map->legs[0].device, VIEW_ORIGIN);
	return descend(&next, map->legs[0].device);
}

/* A snapshot reads its origin, and writes to its exception store. */
static bool descend_snapshot(const struct step *step, dev_t number, const struct dm_map *map)
{
	struct step origin = *step, store = *step;

	origin.extent.read_only = true;
	extent_add_view(&origin.extent, map->legs[0].device, VIEW_SNAPSHOT);
	extent_lose_position(&store.extent, number, VIEW_WHOLE);
	return descend(&origin, map->legs[0].device) && descend(&store, map->legs[1].device);
}

/* Descends through a target; step->extent is relative to the target. */
static bool descend_target(const struct step *step, dev_t number, const struct dm_map *map)
{
	const struct base self = {.dev = number};
	struct step next = *step;

	switch (map->kind) {
	case DM_NOTHING:
		return add_extent(step, &self);
	case DM_STRIPES:
		return descend_stripes(step, map);
	case DM_PATHS:
		return blockdev_each_slave(number, descend_to_slave, &next);
	case DM_THIN:
		return descend_thin(step, map);
	case DM_ORIGIN:
		return descend_origin(step, map);
	case DM_SNAPSHOT:
		return descend_snapshot(step, number, map);
	case DM_UNKNOWN:
		break;
	}
	return descend_to_all(step, number);
}

/*
 * Reduces an extent of the device to the part in the target, and makes it relative to the target.
 * Result: false if nothing is left.
 */
static bool cut_to_target(const struct dm_target *target, struct extent *extent)
{
	uint64_t end = add_saturated(extent->start, extent->length);
	uint64_t target_end = add_saturated(target->start, target->length);
	uint64_t start = extent->start > target->start ? extent->start : target->start;

	if (end > target_end)
		end = target_end;
	if (start >= end)
		return false;
	extent->start = start - target->start;
	extent->length = end - start;
	return true;
}

static bool descend_part(const struct step *step, dev_t number, const struct dm_target *target)
{
	struct step next = *step;
	struct dm_map map;

	if (!cut_to_target(target, &next.extent))
		return true;
	dm_map_parse(target, &map);
	/* The position in an unknown target is known only relative to the device. */
	return map.kind == DM_UNKNOWN ? descend_to_all(step, number)
				      : descend_target(&next, number, &map);
}

static bool descend_table(const struct step *step, dev_t number, const struct dm_table *table)
{
	struct dm_target target;
	size_t at = 0, count = 0;

	for (; dm_target_next(table, &at, &target); count++)
		if (!descend_part(step, number, &target))
			return false;
	return count == table->count || descend_to_all(step, number);
}

static bool add_device_extent(const struct step *step, dev_t number)
{
	return add_extent(step, &(struct base){.dev = number});
}

/* Descends from a device that is built from others, or ends there if it is not. */
static bool descend_devices(const struct step *step, dev_t number)
{
	const size_t before = step->identity->extent_count;

	if (!descend_to_all(step, number))
		return false;
	if (step->identity->extent_count > before)
		return true;
	add_partition(step->cache, &(struct partition){.number = number, .whole = number});
	return add_device_extent(step, number);
}

/* Descends through a table, or ends at the device if the table leads nowhere. */
static bool descend_dm(const struct step *step, dev_t number, struct dm_table *table)
{
	const size_t before = step->identity->extent_count;
	bool done = descend_table(step, number, table);
	int error = errno;

	dm_table_free(table);
	errno = error;
	return done && (step->identity->extent_count > before || add_device_extent(step, number));
}

/* Descends from a partition to its disk, or ends at a whole disk. */
static bool descend_partition(const struct step *step, const struct partition *partition)
{
	if (partition->whole == partition->number)
		return add_device_extent(step, partition->number);
	return descend_to_range(step, partition->whole, partition->start, partition->length);
}

/* Reads the status of a loop device. Result: false with errno; ENXIO if it has no file. */
static bool known_status(const struct identity_cache *cache, dev_t number, struct loop_info64 *info)
{
	const struct loop *loop = cache->loops ? loop_list_get(cache->loops, number) : NULL;

	if (!loop)
		return loop_status(number, info);
	*info = loop->info;
	errno = ETIMEDOUT;
	return !loop->silent || info->lo_inode;
}

/* Descends from a device that is not in the cache. */
static bool descend_new(const struct step *step, dev_t number)
{
	struct partition partition = {.number = number};
	struct loop_info64 info;
	struct dm_table table;

	if (blockdev_partition(number, &partition.whole, &partition.start, &partition.length)) {
		add_partition(step->cache, &partition);
		return descend_partition(step, &partition);
	}
	if (major(number) == LOOP_MAJOR_NUMBER && known_status(step->cache, number, &info))
		return descend_loop(step, number, &info);
	/* A loop device without a file (ENXIO) is a disk of its own. */
	if (major(number) == LOOP_MAJOR_NUMBER && errno != ENXIO)
		return false;
	return dm_table_read(number, &table) ? descend_dm(step, number, &table)
					     : descend_devices(step, number);
}

static bool descend(const struct step *from, dev_t number)
{
	const struct partition *partition = find_partition(from->cache, number);
	struct step step = *from;

	if (step.depth++ == IDENTITY_DEPTH) {
		errno = ELOOP;
		return false;
	}
	if (!step.extent.length)
		return true;
	if (!add_layer(step.identity, number))
		return false;
	return partition ? descend_partition(&step, partition) : descend_new(&step, number);
}

bool identity_of_file(
	const struct file *file, struct identity_cache *cache, struct identity *identity)
{
	const struct step step = {
		.identity = identity, .cache = cache, .extent = {.length = EXTENT_TO_END}};

	*identity = (struct identity){.extents = NULL};
	return descend_file(&step, file);
}

bool identity_of_device(dev_t number, struct identity_cache *cache, struct identity *identity)
{
	const struct step step = {
		.identity = identity, .cache = cache, .extent = {.length = EXTENT_TO_END}};

	*identity = (struct identity){.extents = NULL};
	return descend(&step, number);
}

void identity_free(struct identity *identity)
{
	free(identity->extents);
	free(identity->layers);
	*identity = (struct identity){.extents = NULL};
}

struct overlap identity_overlap_extent(const struct identity *a, const struct extent *b)
{
	struct overlap overlap = {.any = false};

	for (size_t i = 0; i < a->extent_count; i++) {
		if (!extent_overlaps(&a->extents[i], b))
			continue;
		overlap.any = true;
		overlap.first_writes |= !a->extents[i].read_only;
		overlap.second_writes |= !b->read_only;
		overlap.direct |= !a->extents[i].beneath;
	}
	return overlap;
}

struct overlap identity_overlap(const struct identity *a, const struct identity *b)
{
	struct overlap overlap = {.any = false};

	for (size_t i = 0; i < b->extent_count; i++) {
		struct overlap part = identity_overlap_extent(a, &b->extents[i]);

		overlap.any |= part.any;
		overlap.first_writes |= part.first_writes;
		overlap.second_writes |= part.second_writes;
		overlap.direct |= part.direct;
	}
	return overlap;
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
	if (a->extent_count != b->extent_count)
		return false;
	for (size_t i = 0; i < a->extent_count; i++)
		if (!extent_equal(&a->extents[i], &b->extents[i]))
			return false;
	return true;
}

bool identity_has_layer(const struct identity *identity, dev_t number)
{
	for (size_t i = 0; i < identity->layer_count; i++)
		if (identity->layers[i] == number)
			return true;
	return false;
}

bool identity_has_file_on(const struct identity *identity, dev_t file_system)
{
	for (size_t i = 0; i < identity->extent_count; i++)
		if (identity->extents[i].base.file && identity->extents[i].base.dev == file_system)
			return true;
	return false;
}

bool identity_has_file(const struct identity *identity)
{
	for (size_t i = 0; i < identity->extent_count; i++)
		if (identity->extents[i].base.file)
			return true;
	return false;
}
