/* SPDX-License-Identifier: LGPL-2.1-only */
/* All block devices through which some of a disk's bytes can be reached. */
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
	dev_t whole; /* what the disk is a partition of, or the disk */
	struct ground ground;
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
	/* What cannot be looked into is better taken for an overlap. */
	struct relative relative = {number, {true, true, true}, holder};
	struct identity identity;

	if (!disk->file && number == disk->stat.st_rdev)
		return relative;
	if (identity_of_device(number, &search->ground, &identity)) {
		relative.overlap = identity_overlap(&disk->identity, &identity);
		/* A neighbour that shares what is below is not built on the disk. */
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

/* That device, where it has some of the bytes, and all that is built on it and has. */
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

/* The disks at the bottom, and the layers in between, with all that is on them. */
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
	/* Most loop devices are over other files: no further system call for those. */
	struct extent file = extent_of_file((dev_t)loop->info.lo_device, loop->info.lo_inode);

	return loop->info.lo_rdevice || identity_overlap_extent(wanted, &file).any;
}

/* Keeps the loop devices over these bytes in the list, and drops the others. */
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
	ground_free(&search.ground);
	if (done)
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"What else is made of the bytes of %s cannot be found out (%s); look at it with "
		"'lsblk'.",
		QUOTED(disk->path), strerror(error));
}

void relatives_free(struct relatives *relatives)
{
	free(relatives->all);
	loop_list_free(&relatives->loops);
	relatives->all = NULL;
	relatives->count = 0;
}
