/* SPDX-License-Identifier: LGPL-2.1-only */
/* The devices that a person names. */
#include "devices/select.h"

#include <stdio.h>
#include <string.h>

#include "message.h"
#include "status.h"

/* As many are listed where several match. */
#define MOST_CANDIDATES 4

static bool matches(const struct entry *entry, const char *text)
{
	struct named named = entry_named(entry);

	return name_matches(text, &named);
}

static int complain_none(const char *text)
{
	return complain(
		STATUS_FAILED, "No device is called %s; see 'xen-hotplug list'.", QUOTED(text));
}

int select_all(const struct inventory *inventory, const char *text, bool selected[])
{
	bool found = false;

	for (size_t i = 0; i < inventory->count; i++) {
		if (!matches(&inventory->entries[i], text))
			continue;
		selected[i] = found = true;
	}
	return found ? STATUS_DONE : complain_none(text);
}

/* Adds a candidate to a list with commas. */
static void add_candidate(const struct entry *entry, char *list, size_t size)
{
	char text[ENTRY_TEXT_SIZE];
	size_t length = strlen(list);

	snprintf(list + length, size - length, "%s%s", length ? ", " : "", entry_text(entry, text));
}

int select_one(const struct inventory *inventory, const char *text, const struct entry **selected)
{
	char candidates[(ENTRY_TEXT_SIZE + 2) * MOST_CANDIDATES] = "";
	size_t count = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		if (!matches(&inventory->entries[i], text))
			continue;
		*selected = &inventory->entries[i];
		if (count++ < MOST_CANDIDATES)
			add_candidate(*selected, candidates, sizeof(candidates));
	}
	if (!count)
		return complain_none(text);
	if (count > 1)
		return complain(STATUS_FAILED, "%s names %zu devices: %s%s; name one of them.",
			QUOTED(text), count, candidates, count > MOST_CANDIDATES ? ", …" : "");
	return STATUS_DONE;
}
