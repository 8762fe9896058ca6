/* SPDX-License-Identifier: LGPL-2.1-only */
/* All block devices that share bytes with a disk. */
#include "relatives.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "array.h"
#include "blockdev.h"
#include "filesystem.h"
#include "message.h"
#include "opaque.h"
#include "status.h"

struct search {
	struct relatives *found;
	const struct disk *disk;
	dev_t whole; /* the whole disk of a partition, or the disk */
	struct identity_cache cache;
	size_t room;
};

const struct relative *relatives_get(const struct relatives *relatives, dev_t number)
{
	for (size_t i = 0; i < relatives->count; i++)
		if (relatives->all[i].number == number)
			return &relatives->all[i];
	return NULL;
}

/* Result: false with errno. */
static bool add(struct search *search, const struct relative *relative)
{
	struct relatives *found = search->found;

	struct relative *all = array_room(found->all, found->count, &search->room, sizeof(*all));

	if (!all)
		return false;
	found->all = all;
	all[found->count++] = *relative;
	return true;
}

static struct relative relate(struct search *search, dev_t number, bool holder)
{
	const struct disk *disk = search->disk;
	/* A device that cannot be examined counts as an overlap, to be safe. */
	struct relative relative = {number, {true, true, true, true}, holder};
	struct identity identity;

	if (!disk->file && number == disk->stat.st_rdev)
		return relative;
	if (identity_of_device(number, &search->cache, &identity)) {
		relative.overlap = identity_overlap(&disk->identity, &identity);
		/* A device that only shares a lower layer with the disk is not built on it. */
		relative.holder &= disk->file || identity_has_layer(&identity, search->whole);
	}
	identity_free(&identity);
	return relative;
}

static bool add_tree(struct search *search, dev_t number, bool holder);

static bool add_partition(dev_t number, void *context)
{
	return add_tree(context, number, false);
}

static bool add_holder(dev_t number, void *context)
{
	return add_tree(context, number, true);
}

/* Adds a device that overlaps with the disk, and all such devices that are built on it. */
static bool add_tree(struct search *search, dev_t number, bool holder)
{
	if (relatives_get(search->found, number))
		return true;
	struct relative relative = relate(search, number, holder);
	if (!relative.overlap.any)
		return true;
	return add(search, &relative) && blockdev_each_partition(number, add_partition, search) &&
	       blockdev_each_holder(number, add_holder, search);
}

/* Adds the layers of the disk, and all devices that are built on them. */
static bool add_stack(struct search *search)
{
	const struct identity *identity = &search->disk->identity;

	for (size_t i = 0; i < identity->layer_count; i++)
		if (!add_tree(search, identity->layers[i], false))
			return false;
	return true;
}

static bool is_other(dev_t device, void *context)
{
	return !relatives_get(context, device);
}

/*
 * Whether a file may overlap with the disk: because the disk is or lies on that file, or because
 * the file's file system lies on a relative of the disk. Most files do neither, and comparing
 * inodes saves system calls.
 */
static bool may_overlap(const struct disk *disk, const struct relatives *relatives,
	struct identity_cache *cache, const struct file *file)
{
	const struct extent extent = extent_of_file(file->dev, file->ino);

	if (identity_overlap_extent(&disk->identity, &extent).any)
		return true;
	/* Another file of a file system that the disk is or lies on. */
	if (identity_has_file_on(&disk->identity, file->dev))
		return false;
	return !filesystem_each_device(file, &cache->mounts, is_other, (void *)relatives);
}

struct overlap relatives_overlap_file(const struct disk *disk, const struct relatives *relatives,
	struct identity_cache *cache, const struct file *file)
{
	struct overlap overlap = {.any = false};
	struct identity identity;

	if (!may_overlap(disk, relatives, cache, file))
		return overlap;
	overlap = (struct overlap){true, true, true, true};
	if (identity_of_file(file, cache, &identity))
		overlap = identity_overlap(&disk->identity, &identity);
	identity_free(&identity);
	return overlap;
}

static bool loop_may_overlap(struct search *search, const struct loop *loop)
{
	struct file file = {(dev_t)loop->info.lo_device, (ino_t)loop->info.lo_inode, ""};
	char path[LOOP_FILE_SIZE];

	if (loop->info.lo_rdevice)
		return true;
	if (loop->silent && !file.ino)
		return false;
	/* On the disk's own file system, the path does not matter, and takes time. */
	if (!identity_has_file_on(&search->disk->identity, file.dev))
		loop_bottom_file(loop->number, &loop->info, &search->cache.mounts, path, &file);
	return may_overlap(search->disk, search->found, &search->cache, &file);
}

/* Adds the loop devices that overlap with the disk. *added is set if there is a new one. */
static bool add_loops(struct search *search, bool *added)
{
	const struct loop_list *list = &search->found->loops;
	size_t before = search->found->count;

	for (size_t i = 0; i < list->count; i++)
		if (!relatives_get(search->found, list->loops[i].number) &&
			loop_may_overlap(search, &list->loops[i]) &&
			!add_tree(search, list->loops[i].number, false))
			return false;
	*added = search->found->count > before;
	return true;
}

/* A loop device can have a file system with the file of another one, so look again. */
static bool add_all_loops(struct search *search)
{
	bool added = true;

	while (added)
		if (!add_loops(search, &added))
			return false;
	return true;
}

/* Adds the loop devices to relatives->alike that may have the disk, and are no relatives. */
static bool add_alike(struct search *search)
{
	struct relatives *found = search->found;
	const struct disk *disk = search->disk;
	struct loop_list *alike = &found->alike;

	for (size_t i = 0; i < found->loops.count && disk->file; i++) {
		const struct loop *loop = &found->loops.loops[i];

		if (relatives_get(found, loop->number) ||
			!opaque_alike(&search->cache.mounts, loop, disk->stat.st_dev, disk->path,
				(uint64_t)disk->stat.st_size))
			continue;
		struct loop *loops =
			array_room(alike->loops, alike->count, &alike->room, sizeof(*loops));
		if (!loops)
			return false;
		alike->loops = loops;
		loops[alike->count++] = *loop;
	}
	return true;
}

static void set_opaque(struct search *search)
{
	const struct disk *disk = search->disk;
	const char *type =
		disk->file ? opaque_type(&search->cache.mounts, disk->stat.st_dev, disk->path)
			   : NULL;

	snprintf(search->found->opaque, sizeof(search->found->opaque), "%s", type ? type : "");
}

/* Drops the loop devices that do not overlap with the disk from the list. */
static void drop_other_loops(struct relatives *relatives)
{
	struct loop_list *list = &relatives->loops;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (relatives_get(relatives, list->loops[i].number))
			list->loops[kept++] = list->loops[i];
	list->count = kept;
}

int relatives_find(const struct disk *disk, struct relatives *relatives)
{
	struct search search = {.found = relatives, .disk = disk, .whole = disk->stat.st_rdev};
	uint64_t start, length;

	*relatives = (struct relatives){.all = NULL};
	if (!disk->file)
		blockdev_partition(disk->stat.st_rdev, &search.whole, &start, &length);
	if (loop_list_read(disk->path, &search.cache.mounts, &relatives->loops)) {
		identity_cache_free(&search.cache);
		return STATUS_FAILED;
	}
	search.cache.loops = &relatives->loops;
	set_opaque(&search);
	bool done = add_stack(&search) && add_all_loops(&search) && add_alike(&search);
	int error = errno;
	drop_other_loops(relatives);
	identity_cache_free(&search.cache);
	if (done)
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"Cannot list what else uses the storage below %s (%s); compare 'lsblk'.",
		QUOTED(disk->path), strerror(error));
}

void relatives_free(struct relatives *relatives)
{
	free(relatives->all);
	loop_list_free(&relatives->loops);
	loop_list_free(&relatives->alike);
	relatives->all = NULL;
	relatives->count = 0;
}
