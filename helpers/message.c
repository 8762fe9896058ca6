/* SPDX-License-Identifier: LGPL-2.1-only */
/* Messages for the administrator, with untrusted values made harmless. */
#include "message.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "status.h"
#include "utf8.h"

#define ELLIPSIS "…"

static volatile sig_atomic_t has_complained;

static bool in_range(uint32_t c, uint32_t first, uint32_t last)
{
	return c >= first && c <= last;
}

/*
 * Whether a terminal or log shows the character on the same line and in the order written. C1
 * controls, zero-width characters, line separators and direction overrides do not.
 */
static bool shows_as_itself(uint32_t c)
{
	return !in_range(c, 0x80, 0x9f) && !in_range(c, 0x200b, 0x200f) &&
	       !in_range(c, 0x2028, 0x202e) && !in_range(c, 0x2060, 0x2069) && c != 0xfeff;
}

/* The length of the multi-byte character at `p`, or 0 if it is invalid or unsafe to show. */
static size_t multibyte_length(const unsigned char *p, size_t left)
{
	uint32_t c;
	size_t length = utf8_decode(p, left, &c);

	return length > 1 && shows_as_itself(c) ? length : 0;
}

/*
 * Writes the character at `p`, escaped if necessary, to `unit`. Sets *taken to the number of bytes
 * read. Result: the number of bytes written.
 */
static size_t escape_one(
	char unit[5], const unsigned char *p, size_t left, enum escape_style style, size_t *taken)
{
	bool special = style == ESCAPE_VALUE && (p[0] == '\\' || p[0] == '\'');

	*taken = 1;
	if (special)
		return (size_t)snprintf(unit, 5, "\\%c", p[0]);
	if (in_range(p[0], 0x20, 0x7e)) {
		unit[0] = (char)p[0];
		return 1;
	}
	if (p[0] == '\n' || p[0] == '\t' || p[0] == '\r')
		return (size_t)snprintf(unit, 5, "\\%c",
			p[0] == '\n'   ? 'n'
			: p[0] == '\t' ? 't'
				       : 'r');

	size_t length = multibyte_length(p, left);
	if (!length)
		return (size_t)snprintf(unit, 5, "\\x%02x", p[0]);
	memcpy(unit, p, length);
	*taken = length;
	return length;
}

size_t escape(char *to, size_t limit, const char *from, size_t length, enum escape_style style)
{
	size_t used = 0;

	while (length) {
		char unit[5];
		size_t taken;
		size_t shown = escape_one(unit, (const unsigned char *)from, length, style, &taken);

		if (used + shown > limit) {
			memcpy(to + used, ELLIPSIS, strlen(ELLIPSIS));
			used += strlen(ELLIPSIS);
			break;
		}
		memcpy(to + used, unit, shown);
		used += shown;
		from += taken;
		length -= taken;
	}
	to[used] = '\0';
	return used;
}

const char *quote(struct quote *q, const char *value)
{
	q->text[0] = '\'';
	size_t used = 1 + escape(q->text + 1, QUOTE_LIMIT, value, strlen(value), ESCAPE_VALUE);
	q->text[used] = '\'';
	q->text[used + 1] = '\0';
	return q->text;
}

int complain(int status, const char *format, ...)
{
	char raw[4 * SENTENCE_LIMIT];
	char line[SENTENCE_LIMIT + sizeof(ELLIPSIS "\n")];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(raw, sizeof(raw), format, arguments);
	va_end(arguments);
	if (length < 0)
		return status;

	size_t used = escape(line, SENTENCE_LIMIT, raw, strlen(raw), ESCAPE_TEXT);
	line[used] = '\n';
	/* A single write, because several processes can share stderr. */
	ssize_t written = write(STDERR_FILENO, line, used + 1);
	(void)written; /* no other way to report it */
	has_complained = 1;
	return status;
}

int complain_memory(void)
{
	return complain(STATUS_FAILED, "Memory ran out; free some and try again.");
}

bool complained(void)
{
	return has_complained;
}
