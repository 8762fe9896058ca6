/* SPDX-License-Identifier: LGPL-2.1-only */
/* A table for people, which fits into a terminal. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct column {
	const char *title;
	unsigned least; /* characters that it needs, however narrow the terminal is */
	unsigned drop; /* left out, the highest first, where the terminal is too narrow; 0: never */
};

struct table {
	const struct column *columns;
	size_t column_count; /* 1 to 16 */
	char **cells;	     /* row after row */
	size_t count, room;
	bool failed; /* memory ran out; table_print() reports it */
};

/* The width of the terminal that standard output is, in characters; 0 if it is none. */
unsigned table_terminal_width(void);

/* Adds the next cell, of any bytes, which are escaped; "-" stands for NULL and "". */
void table_add(struct table *table, const char *text);

/*
 * Prints the titles and the rows. Where `width` is not 0, no line has more characters than that, as
 * far as the columns that are never left out allow: cells are cut, with "…" at their end. Result:
 * STATUS_DONE, or STATUS_FAILED with a complaint.
 */
int table_print(const struct table *table, unsigned width);

/* Frees the cells. */
void table_free(struct table *table);

#endif
