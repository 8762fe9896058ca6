/* SPDX-License-Identifier: LGPL-2.1-only */
/* Messages for the administrator, with untrusted values made harmless. */
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
	ESCAPE_TEXT,  /* running text: backslashes and quotes are kept */
	ESCAPE_VALUE, /* a value between single quotes: escapes backslashes and single quotes */
};

/*
 * Copies `length` bytes from `from` to `to` as one line of valid UTF-8. Control characters, invalid
 * bytes, and characters that reorder or break lines become \n, \r, \t or \xNN. Text longer than
 * `limit` bytes is truncated and "…" is added, so `to` must hold limit + 4 bytes. Result: the
 * length written, without the final NUL.
 */
size_t escape(char *to, size_t limit, const char *from, size_t length, enum escape_style style);

/* Escapes, truncates and quotes `value` into q->text. Result: q->text. */
const char *quote(struct quote *q, const char *value);

/* quote() into a buffer that lives until the enclosing block ends. */
#define QUOTED(value) quote(&(struct quote){{0}}, (value))

/*
 * Writes one sentence (printf-like, without newline) to stderr. Untrusted values must have passed
 * quote() or escape(). Result: `status`, so that a caller can `return complain(…)`.
 */
__attribute__((format(printf, 2, 3))) int complain(int status, const char *format, ...);

/* Complains that memory ran out. Result: STATUS_FAILED. */
int complain_memory(void);

/* Whether complain() has written a sentence. Async-signal-safe. */
bool complained(void);

#endif
