/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sentences for the administrator, in which nothing that came from outside can do harm. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/* A quoted value longer than this many bytes is shortened. */
#define QUOTE_LIMIT 200
/* The longest sentence, in bytes without the newline. */
#define SENTENCE_LIMIT 1024

/* Room for one quoted value. */
struct quote {
	char text[QUOTE_LIMIT + sizeof("''…")];
};

enum escape_style {
	ESCAPE_TEXT,  /* running text: backslashes and quotes stay as they are */
	ESCAPE_VALUE, /* a value between single quotes: those two are escaped as well */
};

/*
 * Copies `length` bytes at `from` to `to` so that they print as one line of valid UTF-8: control
 * characters, invalid bytes, and characters that reorder or break lines become \n, \t or \xNN.
 * At most `limit` bytes are written before the text is cut and "…" added; `to` must hold
 * limit + 4 bytes. Result: the length written, without the final NUL.
 */
size_t escape(char *to, size_t limit, const char *from, size_t length, enum escape_style style);

/* `value` escaped, shortened and between single quotes, in q->text, which is returned. */
const char *quote(struct quote *q, const char *value);

/* quote() into a buffer that lives to the end of the enclosing block. */
#define QUOTED(value) quote(&(struct quote){{0}}, (value))

/*
 * Writes one sentence (printf-like, without newline) to stderr. Values in it must have gone through
 * quote() or escape(). Result: `status`, so that a caller can say `return complain(…)`.
 */
__attribute__((format(printf, 2, 3))) int complain(int status, const char *format, ...);

/* Complains that memory ran out. Result: STATUS_FAILED. */
int complain_memory(void);

/* Whether complain() has written a sentence; may be asked by a signal handler. */
bool complained(void);

#endif
