/* SPDX-License-Identifier: LGPL-2.1-only */
/* Tables of device-mapper, which map a device to the devices below it. */
#include "dmtable.h"

#include <linux/dm-ioctl.h>
#include <string.h>

#include "number.h"

/* The kernel's limit for the number of a thin volume (24 bits). */
#define MOST_THIN_ID 0xffffff

bool dm_target_next(const struct dm_table *table, size_t *at, struct dm_target *target)
{
	struct dm_target_spec spec;

	if (*at >= table->size || table->size - *at <= sizeof(spec))
		return false;
	memcpy(&spec, table->targets + *at, sizeof(spec));
	target->type = table->targets + *at + offsetof(struct dm_target_spec, target_type);
	target->parameters = table->targets + *at + sizeof(spec);
	if (!memchr(target->type, '\0', sizeof(spec.target_type)) ||
		!memchr(target->parameters, '\0', table->size - *at - sizeof(spec)))
		return false;
	/* `next` counts from the first target; that of the last one leads to the end. */
	*at = spec.next > *at ? spec.next : table->size;
	return sectors_to_bytes(spec.sector_start, &target->start) &&
	       sectors_to_bytes(spec.length, &target->length);
}

/* The remaining words of a target's parameters. */
struct words {
	const char *next;
};

static bool at_end(const char *next)
{
	return *next == ' ' || !*next;
}

/* Result: the next word, which ends at a blank or NUL, or NULL if there is none. */
static const char *take_word(struct words *words)
{
	const char *word = words->next + strspn(words->next, " ");

	words->next = word + strcspn(word, " ");
	return *word ? word : NULL;
}

static bool take_number(struct words *words, uint64_t most, uint64_t *number)
{
	const char *word = take_word(words);
	unsigned long long value;
	const char *end;

	if (!word || !parse_number(word, most, &value, &end) || !at_end(end))
		return false;
	*number = value;
	return true;
}

/* Adds a leg on the device that the next word names. */
static bool take_device(struct words *words, struct dm_map *map)
{
	const char *word = take_word(words);

	if (!word || map->leg_count == DM_LEGS)
		return false;
	struct dm_leg *leg = &map->legs[map->leg_count];
	*leg = (struct dm_leg){.start = 0};
	if (!parse_device(word, &leg->device))
		return false;
	map->leg_count++;
	return true;
}

/* The same for two words, a device and the leg's first sector there. */
static bool take_leg(struct words *words, struct dm_map *map)
{
	uint64_t sector;

	return take_device(words, map) && take_number(words, UINT64_MAX, &sector) &&
	       sectors_to_bytes(sector, &map->legs[map->leg_count - 1].start);
}

/* DEVICE SECTOR */
static bool parse_linear(struct words words, struct dm_map *map)
{
	map->chunk = SECTOR;
	return take_leg(&words, map);
}

/* CIPHER KEY IV-OFFSET DEVICE SECTOR [OPTION...] */
static bool parse_crypt(struct words words, struct dm_map *map)
{
	return take_word(&words) && take_word(&words) && take_word(&words) &&
	       parse_linear(words, map);
}

/* STRIPES CHUNK (DEVICE SECTOR)... */
static bool parse_striped(struct words words, struct dm_map *map)
{
	uint64_t stripes, sectors;

	if (!take_number(&words, DM_LEGS, &stripes) || !stripes ||
		!take_number(&words, UINT32_MAX, &sectors) ||
		!sectors_to_bytes(sectors, &map->chunk))
		return false;
	for (uint64_t i = 0; i < stripes; i++)
		if (!take_leg(&words, map))
			return false;
	return map->chunk;
}

static bool parse_nothing(struct words words, struct dm_map *map)
{
	(void)words;
	(void)map;
	return true;
}

/* POOL ID [ORIGIN] */
static bool parse_thin(struct words words, struct dm_map *map)
{
	if (!take_device(&words, map) || !take_number(&words, MOST_THIN_ID, &map->id))
		return false;
	return !*words.next || take_device(&words, map);
}

/* ORIGIN */
static bool parse_origin(struct words words, struct dm_map *map)
{
	return take_device(&words, map);
}

/* ORIGIN STORE PERSISTENCE CHUNK [FEATURE...] */
static bool parse_snapshot(struct words words, struct dm_map *map)
{
	return take_device(&words, map) && take_device(&words, map);
}

void dm_map_parse(const struct dm_target *target, struct dm_map *map)
{
	static const struct {
		const char *type;
		enum dm_kind kind;
		bool (*parse)(struct words words, struct dm_map *map);
	} types[] = {
		{"linear", DM_STRIPES, parse_linear},
		{"crypt", DM_STRIPES, parse_crypt},
		{"striped", DM_STRIPES, parse_striped},
		{"multipath", DM_PATHS, parse_nothing},
		{"thin", DM_THIN, parse_thin},
		{"snapshot-origin", DM_ORIGIN, parse_origin},
		{"snapshot", DM_SNAPSHOT, parse_snapshot},
		{"zero", DM_NOTHING, parse_nothing},
		{"error", DM_NOTHING, parse_nothing},
	};

	map->kind = DM_UNKNOWN;
	map->leg_count = 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].type, target->type) != 0)
			continue;
		if (types[i].parse((struct words){target->parameters}, map))
			map->kind = types[i].kind;
		return;
	}
}
