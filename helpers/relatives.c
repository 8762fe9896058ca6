/* SPDX-License-Identifier: LGPL-2.1-only */
/* All block devices through which some of a disk's bytes can be reached. */
#include "relatives.h"

#include <stdlib.h>

#include "blockdev.h"
#include "message.h"
#include "status.h"

struct search {
	struct relatives *found;
	const struct identity *identity;
	size_t room;
	bool out_of_memory;
};

bool relatives_have(const struct relatives *relatives, dev_t number)
{
	for (size_t i = 0; i < relatives->count; i++)
		if (relatives->numbers[i] == number)
			return true;
	return false;
}

/* Result: whether the search goes on. */
static bool add(struct search *search, dev_t number)
{
	struct relatives *found = search->found;

	if (relatives_have(found, number))
		return true;
	if (found->count == search->room) {
		size_t room = 2 * search->room + 8;
		dev_t *numbers = reallocarray(found->numbers, room, sizeof(*numbers));

		search->out_of_memory = !numbers;
		if (!numbers)
			return false;
		found->numbers = numbers;
		search->room = room;
	}
	found->numbers[found->count++] = number;
	return true;
}

static bool add_partition(dev_t partition, void *context)
{
	struct search *search = context;
	struct identity identity;

	/* A partition that cannot be looked into is better taken for an overlap. */
	if (identity_of_device(partition, &identity) &&
		!identity_overlaps(&identity, search->identity))
		return true;
	return add(search, partition);
}

static bool add_whole(struct search *search, dev_t number)
{
	return add(search, number) && blockdev_each_partition(number, add_partition, search);
}

/* The disks at the bottom, with their partitions, and the layers in between. */
static bool add_stack(struct search *search)
{
	const struct identity *identity = search->identity;

	for (size_t i = 0; i < identity->layer_count; i++)
		if (!add(search, identity->layers[i]))
			return false;
	for (size_t i = 0; i < identity->extent_count; i++)
		if (!identity->extents[i].base.file &&
			!add_whole(search, identity->extents[i].base.dev))
			return false;
	return true;
}

static bool loop_overlaps(const struct loop *loop, const struct identity *wanted)
{
	struct identity identity;

	/* Most loop devices are over files: no further system call for those. */
	if (!loop->info.lo_rdevice)
		identity_of_file((dev_t)loop->info.lo_device, loop->info.lo_inode, &identity);
	if (!loop->info.lo_rdevice && !identity_overlaps(&identity, wanted))
		return false;
	return !identity_of_device(loop->number, &identity) || identity_overlaps(&identity, wanted);
}

/* Keeps the loop devices over these bytes in the list, and drops the others. */
static bool add_loops(struct search *search)
{
	struct loop_list *list = &search->found->loops;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (!loop_overlaps(&list->loops[i], search->identity))
			continue;
		if (!add_whole(search, list->loops[i].number))
			return false;
		list->loops[kept++] = list->loops[i];
	}
	list->count = kept;
	return true;
}

int relatives_find(const struct disk *disk, struct relatives *relatives)
{
	struct search search = {.found = relatives, .identity = &disk->identity};

	*relatives = (struct relatives){.numbers = NULL};
	if (loop_list_read(&relatives->loops))
		return STATUS_FAILED;
	if (!add_stack(&search) || !add_loops(&search))
		return complain(STATUS_FAILED, "Memory ran out; free some and try again.");
	return STATUS_DONE;
}

void relatives_free(struct relatives *relatives)
{
	free(relatives->numbers);
	loop_list_free(&relatives->loops);
	relatives->numbers = NULL;
	relatives->count = 0;
}
