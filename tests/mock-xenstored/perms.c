/* SPDX-License-Identifier: LGPL-2.1-only */
/* Permission lists of nodes: the owner first, then what single domains may do. */
#include "perms.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

static const char letters[] = {'n', 'r', 'w', 'b'}; /* by READ and WRITE bits */

static struct perms *allocate(size_t count)
{
	struct perms *perms = alloc_zeroed(sizeof(*perms) + count * sizeof(perms->list[0]));

	perms->refs = 1;
	perms->count = count;
	return perms;
}

struct perms *perms_new(unsigned int owner)
{
	struct perms *perms = allocate(1);

	perms->list[0].domid = owner;
	return perms;
}

static bool parse_one(struct perm *perm, const char *text)
{
	const char *letter = *text ? memchr(letters, *text, sizeof(letters)) : NULL;
	uint64_t domid;

	if (!letter || !number_parse(&domid, text + 1, UINT16_MAX))
		return false;
	perm->bits = (unsigned int)(letter - letters);
	perm->domid = (unsigned int)domid;
	return true;
}

struct perms *perms_parse(const char *strings, size_t count)
{
	struct perms *perms;

	if (!count)
		return NULL;
	perms = allocate(count);
	for (size_t i = 0; i < count; i++) {
		if (!parse_one(&perms->list[i], strings)) {
			perms_unref(perms);
			return NULL;
		}
		strings += strlen(strings) + 1;
	}
	return perms;
}

struct perms *perms_with_owner(struct perms *perms, unsigned int owner)
{
	struct perms *copy;

	if (perms->list[0].domid == owner)
		return perms_ref(perms);
	copy = allocate(perms->count);
	memcpy(copy->list, perms->list, perms->count * sizeof(perms->list[0]));
	copy->list[0].domid = owner;
	return copy;
}

void perms_format(const struct perms *perms, struct buf *out)
{
	for (size_t i = 0; i < perms->count; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%c%u", letters[perms->list[i].bits],
			perms->list[i].domid);
		buf_add_string(out, text);
	}
}

struct perms *perms_ref(struct perms *perms)
{
	perms->refs++;
	return perms;
}

void perms_unref(struct perms *perms)
{
	if (perms && --perms->refs == 0)
		free(perms);
}

unsigned int perms_of(const struct perms *perms, unsigned int domid)
{
	if (domid == 0 || perms->list[0].domid == domid)
		return PERM_READ | PERM_WRITE | PERM_OWNER;
	for (size_t i = 1; i < perms->count; i++) {
		if (perms->list[i].domid == domid)
			return perms->list[i].bits;
	}
	return perms->list[0].bits;
}
