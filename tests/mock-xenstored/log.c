/* SPDX-License-Identifier: LGPL-2.1-only */
/* The log of requests: one line each, written before the answer is sent. */
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "wire.h"

static void add_text(struct buf *line, const char *text)
{
	buf_add(line, text, strlen(text));
}

/* A path is one word of printable ASCII, whatever a client made of it. */
static void add_escaped(struct buf *line, const char *text)
{
	if (!*text)
		add_text(line, "-");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		char escape[8];

		if (c > ' ' && c < 0x7f && c != '\\') {
			buf_add(line, text, 1);
			continue;
		}
		snprintf(escape, sizeof(escape), "\\x%02x", c);
		add_text(line, escape);
	}
}

static void write_line(const struct log *log, struct buf *line)
{
	buf_add(line, "\n", 1);
	/* There is nobody to tell of a full disk but the test, which misses its line. */
	if (write(log->fd, line->data, line->end) < 0)
		line->end = 0;
	buf_free(line);
}

void log_request(struct log *log, const struct log_entry *entry)
{
	const char *name = wire_type_name(entry->type);
	struct buf line = {0};
	char text[96];

	log->requests++;
	if (log->fd < 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %u ", log->requests,
		entry->connection, entry->domid);
	add_text(&line, text);
	if (name) {
		add_text(&line, name);
	} else {
		snprintf(text, sizeof(text), "TYPE_%" PRIu32, entry->type);
		add_text(&line, text);
	}
	snprintf(text, sizeof(text), " %" PRIu32 " ", entry->transaction);
	add_text(&line, text);
	add_escaped(&line, entry->path);
	add_text(&line, " -> ");
	if (entry->fault) {
		add_text(&line, "fault:");
		add_text(&line, entry->fault);
	} else {
		add_text(&line, entry->error ? wire_error_name(entry->error) : "ok");
	}
	write_line(log, &line);
}

void log_bad_fault(const struct log *log, const char *spec)
{
	struct buf line = {0};

	if (log->fd < 0)
		return;
	add_text(&line, "# not a fault: ");
	add_escaped(&line, spec);
	write_line(log, &line);
}
