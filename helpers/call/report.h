/* SPDX-License-Identifier: LGPL-2.1-only */
/* Why a call failed, and what it had done by then. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"

/* As many lines are kept, the last ones. */
#define REPORT_LINES 400

struct report {
	char sentence[SENTENCE_LIMIT + sizeof("…")]; /* the first; empty: all is well */
	bool busy;				     /* somebody else has what was asked for */
	char *lines[REPORT_LINES];		     /* what was done, for the log: a ring */
	size_t count;				     /* of all lines that there were */
};

/* The first sentence is what a person reads; further ones go into the log. Printf-like. */
__attribute__((format(printf, 2, 3))) void report_failure(
	struct report *report, const char *format, ...);

/* Adds a line to what was done. Printf-like. */
__attribute__((format(printf, 2, 3))) void report_line(
	struct report *report, const char *format, ...);

/*
 * Adds the command that a request `run` has, as a shell would take it, and its input. Result: the
 * line, which begins with "+ "; NULL where memory ran out.
 */
const char *report_command(struct report *report, int argc, char *argv[]);

/* The line at `index` of those that are kept, the oldest first; NULL behind the last one. */
const char *report_at(const struct report *report, size_t index);

/* Frees what it holds. */
void report_free(struct report *report);

#endif
