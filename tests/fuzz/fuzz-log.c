/* SPDX-License-Identifier: LGPL-2.1-only */
/* Fuzzes the lines of a log file, what journalctl exports, and the failures in them. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "devices/failure.h"

static void fuzz(const uint8_t *data, size_t size, void (*read)(FILE *, log_take *, void *),
	const char *wanted)
{
	struct failure_search search = {.wanted = wanted};
	FILE *from = fmemopen((void *)data, size, "r");

	if (!from)
		return;
	read(from, failure_take, &search);
	fclose(from);
	const struct failure *found = failure_found(&search);
	assert(!found || (found->sentence && found->what));
	failure_search_free(&search);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz(data, size, logread_file, NULL);
	fuzz(data, size, logread_export, NULL);
	fuzz(data, size, logread_export, "web");
	return 0;
}
