/* SPDX-License-Identifier: LGPL-2.1-only */
/* Writes JSON (RFC 8259). */
#include "json.h"

#include <string.h>

#include "utf8.h"

static void put_string(FILE *to, const char *text)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);

	fputc('"', to);
	while (p < end) {
		uint32_t c;
		size_t length = utf8_decode(p, (size_t)(end - p), &c);

		if (!length)
			fputs("\\ufffd", to);
		else if (c == '"' || c == '\\')
			fprintf(to, "\\%c", *p);
		/* DEL and the C1 controls need no escape, but a terminal would obey them. */
		else if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
			fprintf(to, "\\u%04x", c);
		else
			fwrite(p, 1, length, to);
		p += length ? length : 1;
	}
	fputc('"', to);
}

/* Writes what is before each value. */
static void lead(struct json *json, const char *key)
{
	if (json->more)
		fputc(',', json->to);
	if (json->depth == 1)
		fputc('\n', json->to);
	else if (json->more)
		fputc(' ', json->to);
	if (key) {
		put_string(json->to, key);
		fputs(": ", json->to);
	}
	json->more = true;
}

void json_begin(struct json *json, const char *key, char bracket)
{
	lead(json, key);
	fputc(bracket, json->to);
	json->depth++;
	json->more = false;
}

void json_end(struct json *json, char bracket)
{
	json->depth--;
	if (!json->depth && json->more)
		fputc('\n', json->to);
	fputc(bracket, json->to);
	if (!json->depth)
		fputc('\n', json->to);
	json->more = true;
}

void json_text(struct json *json, const char *key, const char *text)
{
	lead(json, key);
	if (text)
		put_string(json->to, text);
	else
		fputs("null", json->to);
}

void json_number(struct json *json, const char *key, long long number)
{
	lead(json, key);
	fprintf(json->to, "%lld", number);
}

void json_bool(struct json *json, const char *key, bool value)
{
	lead(json, key);
	fputs(value ? "true" : "false", json->to);
}
