/* SPDX-License-Identifier: LGPL-2.1-only */
/* Allocation that cannot fail, and a growing byte buffer. */
#include "alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void out_of_memory(void)
{
	fputs("mock-xenstored: out of memory\n", stderr);
	exit(EXIT_FAILURE);
}

void *alloc_zeroed(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		out_of_memory();
	return memory;
}

void *alloc_array(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count ? count : 1, size);

	if (!memory)
		out_of_memory();
	return memory;
}

char *alloc_string(const char *text, size_t length)
{
	char *copy = alloc_array(NULL, length + 1, 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void *alloc_grow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? *capacity * 2 : 8;
	return alloc_array(array, *capacity, size);
}

static void make_room(struct buf *buf, size_t length)
{
	size_t used = buf->end - buf->start;

	if (length <= buf->capacity - buf->end)
		return;
	if (buf->start) {
		memmove(buf->data, buf->data + buf->start, used);
		buf->start = 0;
		buf->end = used;
	}
	if (length <= buf->capacity - used)
		return;
	buf->capacity = (used + length) * 2;
	buf->data = alloc_array(buf->data, buf->capacity, 1);
}

void buf_add(struct buf *buf, const void *bytes, size_t length)
{
	if (!length)
		return;
	make_room(buf, length);
	memcpy(buf->data + buf->end, bytes, length);
	buf->end += length;
}

void buf_add_string(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text) + 1);
}

size_t buf_length(const struct buf *buf)
{
	return buf->end - buf->start;
}

void buf_take(struct buf *buf, size_t length)
{
	if (length >= buf_length(buf)) {
		buf_clear(buf);
		return;
	}
	buf->start += length;
}

void buf_clear(struct buf *buf)
{
	buf->start = 0;
	buf->end = 0;
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}
