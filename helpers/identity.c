/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which bytes a disk consists of, whatever names and layers it is reached through. */
#include "identity.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "blockdev.h"
#include "loop.h"

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/*
 * An extent of a layer becomes one of the layer below, in which the upper layer is the range from
 * `start` on, `length` bytes (EXTENT_TO_END: all the rest).
 */
static void sink(struct extent *extent, uint64_t start, uint64_t length)
{
	uint64_t rest = length == EXTENT_TO_END	 ? EXTENT_TO_END
			: extent->start < length ? length - extent->start
						 : 0;

	if (extent->length > rest)
		extent->length = rest;
	extent->start = add_saturated(extent->start, start);
}

void identity_of_file(dev_t dev, ino_t ino, struct identity *identity)
{
	*identity = (struct identity){.extent_count = 1};
	identity->extents[0] = (struct extent){
		.base = {.file = true, .dev = dev, .ino = ino},
		.length = EXTENT_TO_END,
	};
}

/* What a bound loop device stands on: a block device (*below is set), or a file. */
static void sink_through_loop(const struct loop_info64 *info, struct extent *extent, dev_t *below)
{
	sink(extent, info->lo_offset, info->lo_sizelimit ? info->lo_sizelimit : EXTENT_TO_END);
	extent->base = (struct base){
		.file = !info->lo_rdevice, .dev = (dev_t)info->lo_device, .ino = info->lo_inode};
	if (info->lo_rdevice)
		*below = (dev_t)info->lo_rdevice;
}

bool identity_of_device(dev_t number, struct identity *identity)
{
	*identity = (struct identity){.extent_count = 1};
	struct extent *extent = &identity->extents[0];
	extent->length = EXTENT_TO_END;

	while (identity->layer_count < IDENTITY_LAYERS) {
		struct loop_info64 info;
		uint64_t start, length;
		dev_t whole;

		identity->layers[identity->layer_count++] = number;
		if (blockdev_partition(number, &whole, &start, &length)) {
			sink(extent, start, length);
			number = whole;
			continue;
		}
		bool bound = major(number) == LOOP_MAJOR_NUMBER && loop_status(number, &info);
		if (bound) {
			sink_through_loop(&info, extent, &number);
			if (extent->base.file)
				return true;
			continue;
		}
		/* A loop device without a file is an empty disk of its own. */
		if (major(number) == LOOP_MAJOR_NUMBER && errno != ENXIO)
			return false;
		extent->base = (struct base){.dev = number};
		return true;
	}
	errno = ELOOP;
	return false;
}

static bool base_equal(const struct base *a, const struct base *b)
{
	return a->file == b->file && a->dev == b->dev && a->ino == b->ino;
}

static bool extent_overlaps(const struct extent *a, const struct extent *b)
{
	return base_equal(&a->base, &b->base) && a->start < add_saturated(b->start, b->length) &&
	       b->start < add_saturated(a->start, a->length);
}

bool identity_overlaps(const struct identity *a, const struct identity *b)
{
	for (size_t i = 0; i < a->extent_count; i++)
		for (size_t j = 0; j < b->extent_count; j++)
			if (extent_overlaps(&a->extents[i], &b->extents[j]))
				return true;
	return false;
}

static bool extent_equal(const struct extent *a, const struct extent *b)
{
	return base_equal(&a->base, &b->base) && a->start == b->start && a->length == b->length;
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

const char *base_text(const struct base *base, char text[BASE_TEXT_SIZE])
{
	if (base->file)
		snprintf(text, BASE_TEXT_SIZE, "file %" PRIx64 ":%" PRIx64, (uint64_t)base->dev,
			(uint64_t)base->ino);
	else
		snprintf(text, BASE_TEXT_SIZE, "device %u:%u", major(base->dev), minor(base->dev));
	return text;
}
