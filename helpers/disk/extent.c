/* SPDX-License-Identifier: LGPL-2.1-only */
/* Ranges of bytes, and whether they overlap. */
#include "extent.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "number.h"

struct extent extent_of_file(dev_t dev, ino_t ino)
{
	return (struct extent){
		.base = {.file = true, .dev = dev, .ino = ino},
		.length = EXTENT_TO_END,
	};
}

uint64_t extent_file_view(dev_t dev, ino_t ino)
{
	/* Subvolumes have device numbers of their own, and inode numbers that repeat. */
	return VIEW_FILE | ((uint64_t)ino ^ (uint64_t)dev * 0x9e3779b97f4a7c15ULL);
}

void extent_map_down(struct extent *extent, uint64_t start, uint64_t length)
{
	uint64_t rest = length == EXTENT_TO_END	 ? EXTENT_TO_END
			: extent->start < length ? length - extent->start
						 : 0;

	if (extent->length > rest)
		extent->length = rest;
	extent->start = add_saturated(extent->start, start);
}

static const struct view *find_view(const struct extent *extent, dev_t of)
{
	for (size_t i = 0; i < extent->view_count; i++)
		if (extent->views[i].of == of)
			return &extent->views[i];
	return NULL;
}

void extent_add_view(struct extent *extent, dev_t of, uint64_t id)
{
	/* A thin volume already has its view of the pool when it reaches the pool. */
	if (extent->view_count == EXTENT_VIEWS || find_view(extent, of))
		return;
	extent->views[extent->view_count++] =
		(struct view){.of = of, .id = id, .start = extent->start, .length = extent->length};
}

void extent_lose_position(struct extent *extent, dev_t of, uint64_t id)
{
	extent_add_view(extent, of, id);
	extent->start = 0;
	extent->length = EXTENT_TO_END;
}

static bool base_equal(const struct base *a, const struct base *b)
{
	return a->file == b->file && a->dev == b->dev && a->ino == b->ino;
}

static bool ranges_overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
	return a < add_saturated(b, b_length) && b < add_saturated(a, a_length);
}

static bool views_overlap(const struct view *a, const struct view *b)
{
	if (a->id != b->id)
		return a->id == VIEW_WHOLE || b->id == VIEW_WHOLE;
	return ranges_overlap(a->start, a->length, b->start, b->length);
}

bool extent_overlaps(const struct extent *a, const struct extent *b)
{
	if (!base_equal(&a->base, &b->base) ||
		!ranges_overlap(a->start, a->length, b->start, b->length))
		return false;
	for (size_t i = 0; i < a->view_count; i++) {
		const struct view *other = find_view(b, a->views[i].of);

		if (other && !views_overlap(&a->views[i], other))
			return false;
	}
	return true;
}

static bool view_equal(const struct view *a, const struct view *b)
{
	return a->of == b->of && a->id == b->id && a->start == b->start && a->length == b->length;
}

bool extent_equal(const struct extent *a, const struct extent *b)
{
	if (!base_equal(&a->base, &b->base) || a->start != b->start || a->length != b->length ||
		a->read_only != b->read_only || a->beneath != b->beneath ||
		a->view_count != b->view_count)
		return false;
	for (size_t i = 0; i < a->view_count; i++)
		if (!view_equal(&a->views[i], &b->views[i]))
			return false;
	return true;
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
