/* SPDX-License-Identifier: LGPL-2.1-only */
/* Fuzzes what makes text harmless for a terminal, a log and the store. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

/* Nothing but printable ASCII, and multi-byte characters: neither controls nor line ends. */
static bool is_one_line(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			return false;
	return true;
}

/* Well-formed UTF-8 as far as lead and continuation bytes go. */
static bool is_utf8(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		int more = *p < 0x80 ? 0 : *p < 0xc2 ? -1 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;

		if (more < 0)
			return false;
		for (; more; more--)
			if ((*++p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static void fuzz_escape(const char *data, size_t size, size_t limit, enum escape_style style)
{
	/* The exact room that escape() asks for. */
	char *to = malloc(limit + 4);

	if (!to)
		return;
	size_t length = escape(to, limit, data, size, style);
	assert(length == strlen(to) && length <= limit + 3);
	assert(is_one_line(to) && is_utf8(to));
	free(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quote q;

	if (!size)
		return 0;
	fuzz_escape((const char *)data + 1, size - 1, data[0], ESCAPE_TEXT);
	fuzz_escape((const char *)data + 1, size - 1, data[0], ESCAPE_VALUE);

	char *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	const char *quoted = quote(&q, text);
	size_t length = strlen(quoted);
	assert(length >= 2 && length < sizeof(q.text));
	assert(quoted[0] == '\'' && quoted[length - 1] == '\'' && is_utf8(quoted));
	free(text);
	return 0;
}
