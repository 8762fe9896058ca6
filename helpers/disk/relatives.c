/* SPDX-License-Identifier: LGPL-2.1-only */
/* All block devices that share bytes with a disk. */
#include "relatives.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "blockdev.h"
#include "message.h"
#include "status.h"

struct search {
	struct relatives *found;
	const struct disk *disk;
	dev_t whole; /* the whole disk of a partition, or the disk */
	struct partition_cache cache;
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
	struct relative relative = {number, {true, true, true}, holder};
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

static bool loop_overlaps(const struct loop *loop, const struct identity *wanted)
{
	/* Most loop devices have other files; comparing inodes saves system calls. */
	struct extent file = extent_of_file((dev_t)loop->info.lo_device, loop->info.lo_inode);

	return loop->info.lo_rdevice || identity_overlap_extent(wanted, &file).any;
}

/* Adds the loop devices that overlap with the disk, and drops the others from the list. */
static bool add_loops(struct search *search)
{
	struct loop_list *list = &search->found->loops;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (!loop_overlaps(&list->loops[i], &search->disk->identity))
			continue;
		if (!add_tree(search, list->loops[i].number, false))
			return false;
		if (relatives_get(search->found, list->loops[i].number))
			list->loops[kept++] = list->loops[i];
	}
	list->count = kept;
	return true;
}

int relatives_find(const struct disk *disk, struct relatives *relatives)
{
	struct search search = {.found = relatives, .disk = disk, .whole = disk->stat.st_rdev};
	uint64_t start, length;

	*relatives = (struct relatives){.all = NULL};
	if (!disk->file)
		blockdev_partition(disk->stat.st_rdev, &search.whole, &start, &length);
	if (loop_list_read(&relatives->loops))
		return STATUS_FAILED;
	bool done = add_stack(&search) && add_loops(&search);
	int error = errno;
	partition_cache_free(&search.cache);
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
	relatives->all = NULL;
	relatives->count = 0;
}
