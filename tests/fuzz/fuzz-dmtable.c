/* SPDX-License-Identifier: LGPL-2.1-only */
/* Fuzzes what reads the tables of device-mapper: as a whole, and the parameters of each target. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "disk/dmtable.h"

static void check_map(const struct dm_target *target)
{
	static const struct {
		size_t least, most;
	} legs[] = {
		[DM_UNKNOWN] = {0, DM_LEGS},
		[DM_NOTHING] = {0, 0},
		[DM_STRIPES] = {1, DM_LEGS},
		[DM_PATHS] = {0, 0},
		[DM_THIN] = {1, 2},
		[DM_ORIGIN] = {1, 1},
		[DM_SNAPSHOT] = {2, 2},
	};
	struct dm_map map;

	dm_map_parse(target, &map);
	assert(map.leg_count >= legs[map.kind].least && map.leg_count <= legs[map.kind].most);
	assert(map.kind != DM_STRIPES || map.chunk);
}

/* The table has the exact size, so that a read behind it is found. */
static void fuzz_table(const char *data, size_t size)
{
	char *copy = malloc(size);
	struct dm_table table = {.targets = copy, .size = size};
	struct dm_target target;
	size_t at = 0, last = 0;

	if (!copy)
		return;
	memcpy(copy, data, size);
	for (; dm_target_next(&table, &at, &target); last = at) {
		assert(at > last);
		assert(target.type > copy && target.type + strlen(target.type) < copy + size);
		assert(target.parameters + strlen(target.parameters) < copy + size);
		check_map(&target);
	}
	free(copy);
}

static void fuzz_parameters(const char *data, size_t size)
{
	static const char *const types[] = {"linear", "crypt", "striped", "multipath", "thin",
		"snapshot-origin", "snapshot", "zero", "error", "cache"};
	char *parameters = malloc(size + 1);

	if (!parameters)
		return;
	memcpy(parameters, data, size);
	parameters[size] = '\0';
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		check_map(&(struct dm_target){0, 512, types[i], parameters});
	free(parameters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_table((const char *)data, size);
	fuzz_parameters((const char *)data, size);
	return 0;
}
