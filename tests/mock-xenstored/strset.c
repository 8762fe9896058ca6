/* SPDX-License-Identifier: LGPL-2.1-only */
/* A set of strings: a hash table with open addressing. */
#include "strset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static uint64_t hash(const char *text)
{
	uint64_t value = 14695981039346656037u; /* FNV-1a */

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 1099511628211u;
	return value ^ (value >> 32);
}

/* The slot that holds `text`, or the free one where it belongs. */
static char **find_slot(const struct strset *set, const char *text)
{
	size_t slot = hash(text) & (set->slot_count - 1);

	while (set->slots[slot] && strcmp(set->slots[slot], text) != 0)
		slot = (slot + 1) & (set->slot_count - 1);
	return &set->slots[slot];
}

static void grow(struct strset *set)
{
	struct strset larger = {
		.slot_count = set->slot_count ? set->slot_count * 2 : 16,
		.used = set->used,
	};

	larger.slots = alloc_zeroed(larger.slot_count * sizeof(char *));
	for (size_t i = 0; i < set->slot_count; i++) {
		if (set->slots[i])
			*find_slot(&larger, set->slots[i]) = set->slots[i];
	}
	free(set->slots);
	*set = larger;
}

void strset_add(struct strset *set, const char *text)
{
	char **slot;

	if (set->used >= set->slot_count / 2)
		grow(set);
	slot = find_slot(set, text);
	if (*slot)
		return;
	*slot = alloc_string(text, strlen(text));
	set->used++;
}

void strset_free(struct strset *set)
{
	for (size_t i = 0; i < set->slot_count; i++)
		free(set->slots[i]);
	free(set->slots);
	memset(set, 0, sizeof(*set));
}
