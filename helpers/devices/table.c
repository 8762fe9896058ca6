/* SPDX-License-Identifier: LGPL-2.1-only */
/* A table for people, which fits into a terminal. */
#include "devices/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "array.h"
#include "message.h"
#include "output.h"
#include "status.h"

#define MOST_COLUMNS 16
#define USUAL_WIDTH 80
#define GAP 2

unsigned table_terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return USUAL_WIDTH;
	return size.ws_col;
}

void table_add(struct table *table, const char *text)
{
	const char *shown = text && *text ? text : "-";
	size_t length = strlen(shown);
	char **cells = array_room(table->cells, table->count, &table->room, sizeof(*table->cells));
	/* No byte becomes more than four. */
	char *cell = malloc(4 * length + sizeof("…"));

	if (cells)
		table->cells = cells;
	if (!cells || !cell) {
		table->failed = true;
		free(cell);
		return;
	}
	escape(cell, 4 * length, shown, length, ESCAPE_TEXT);
	cells[table->count++] = cell;
}

/* The characters of a text: bytes that continue one are not counted. */
static unsigned characters(const char *text)
{
	unsigned count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

/* The length in bytes of the first `count` characters. */
static int bytes_of(const char *text, unsigned count)
{
	const char *at = text;

	for (; *at; at++)
		if ((*at & 0xc0) != 0x80 && !count--)
			break;
	return (int)(at - text);
}

static unsigned total(const struct table *table, const unsigned widths[])
{
	unsigned sum = 0;

	for (size_t i = 0; i < table->column_count; i++)
		sum += widths[i] ? widths[i] + GAP : 0;
	return sum > GAP ? sum - GAP : 0;
}

/* The least that a column of this width can be cut to. */
static unsigned least(const struct column *column, unsigned width)
{
	return width < column->least ? width : column->least;
}

/* Leaves columns out until the rest can be cut to the width. */
static void drop_columns(const struct table *table, unsigned widths[], unsigned width)
{
	for (;;) {
		unsigned shortest[MOST_COLUMNS];
		size_t last = table->column_count;

		for (size_t i = 0; i < table->column_count; i++) {
			const struct column *column = &table->columns[i];

			shortest[i] = least(column, widths[i]);
			if (widths[i] && column->drop &&
				(last == table->column_count ||
					column->drop > table->columns[last].drop))
				last = i;
		}
		if (last == table->column_count || total(table, shortest) <= width)
			return;
		widths[last] = 0;
	}
}

/* Cuts the widest columns until the line fits. */
static void cut_columns(const struct table *table, unsigned widths[], unsigned width)
{
	while (total(table, widths) > width) {
		size_t widest = table->column_count;

		for (size_t i = 0; i < table->column_count; i++)
			if (widths[i] > least(&table->columns[i], widths[i]) &&
				(widest == table->column_count || widths[i] > widths[widest]))
				widest = i;
		if (widest == table->column_count)
			return;
		widths[widest]--;
	}
}

static void measure(const struct table *table, unsigned widths[], unsigned width)
{
	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = characters(table->columns[i].title);
	for (size_t i = 0; i < table->count; i++) {
		unsigned *widest = &widths[i % table->column_count];
		unsigned count = characters(table->cells[i]);

		*widest = count > *widest ? count : *widest;
	}
	if (!width)
		return;
	drop_columns(table, widths, width);
	cut_columns(table, widths, width);
}

/* Prints a row, without blanks at its end. */
static void print_row(const struct table *table, const unsigned widths[], const char *cells[])
{
	unsigned pending = 0;

	for (size_t i = 0; i < table->column_count; i++) {
		unsigned count = characters(cells[i]);

		if (!widths[i])
			continue;
		if (count)
			printf("%*s", (int)pending, "");
		if (count > widths[i])
			printf("%.*s…", bytes_of(cells[i], widths[i] - 1), cells[i]);
		else
			fputs(cells[i], stdout);
		pending = (count ? 0 : pending) + GAP + (count > widths[i] ? 0 : widths[i] - count);
	}
	putchar('\n');
}

int table_print(const struct table *table, unsigned width)
{
	unsigned widths[MOST_COLUMNS];
	const char *titles[MOST_COLUMNS];

	if (table->failed || !table->column_count || table->column_count > MOST_COLUMNS)
		return complain_memory();
	measure(table, widths, width);
	for (size_t i = 0; i < table->column_count; i++)
		titles[i] = table->columns[i].title;
	print_row(table, widths, titles);
	for (size_t i = 0; i < table->count; i += table->column_count)
		print_row(table, widths, (const char **)table->cells + i);
	return output_end();
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->count = table->room = 0;
}
