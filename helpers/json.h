/* SPDX-License-Identifier: LGPL-2.1-only */
/* Writes JSON (RFC 8259). */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdio.h>

/* All zero but `to`: nothing is written yet. */
struct json {
	FILE *to; /* whose errors the caller looks for at the end */
	unsigned depth;
	bool more; /* a value of the array or object that is open was written */
};

/*
 * Begins an array ('[') or an object ('{'), which json_end() ends. In this function and all below,
 * `key` is the member's name in an object, of ASCII letters and _, and NULL elsewhere. Each element
 * of the outermost one is on a line of its own.
 */
void json_begin(struct json *json, const char *key, char bracket);

/* Ends it: `bracket` is ']' or '}'. */
void json_end(struct json *json, char bracket);

/*
 * A string, or null if `text` is NULL. Bytes that are no UTF-8, which JSON cannot have, become
 * U+FFFD each.
 */
void json_text(struct json *json, const char *key, const char *text);

/* A number. */
void json_number(struct json *json, const char *key, long long number);

/* True or false. */
void json_bool(struct json *json, const char *key, bool value);

#endif
