/* SPDX-License-Identifier: LGPL-2.1-only */
/* The result on stdout: fields ended by NUL, buffered until the command has succeeded; or text. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

struct output {
	char *bytes;
	size_t used, room;
	bool failed; /* memory ran out; output_flush() reports it */
};

/* Adds one field: the byte `first` unless it is 0, then `length` bytes. */
void output_value(struct output *out, char first, const void *bytes, size_t length);

/* Adds one field, printf-like. */
__attribute__((format(printf, 2, 3))) void output_field(
	struct output *out, const char *format, ...);

/* Writes all fields to stdout. Result: STATUS_DONE, or STATUS_FAILED with a complaint. */
int output_flush(struct output *out);

/*
 * To be called when all is printed that a person reads, by printf() and the like. Result:
 * STATUS_DONE, or STATUS_FAILED with a complaint if it cannot be written; none where the reader of
 * a pipe has seen enough.
 */
int output_end(void);

/* Frees what it holds, and makes it empty. */
void output_free(struct output *out);

#endif
