/* SPDX-License-Identifier: LGPL-2.1-only */
/* Allocation that cannot fail (the process ends instead), and a growing byte buffer. */
#ifndef MOCK_ALLOC_H
#define MOCK_ALLOC_H

#include <stddef.h>

/* Bytes that are collected at the end and taken from the front. Starts as all zeroes. */
struct buf {
	unsigned char *data;
	size_t start; /* of what is still to be taken */
	size_t end;
	size_t capacity;
};

/* Allocates `size` zeroed bytes. Never NULL: without memory the process ends with status 1. */
void *alloc_zeroed(size_t size);

/* Resizes `old` (NULL allowed) to `count` elements of `size` bytes. Never NULL. */
void *alloc_array(void *old, size_t count, size_t size);

/* Duplicates the `length` bytes at `text` and ends them with a NUL. Never NULL. */
char *alloc_string(const char *text, size_t length);

/*
 * Makes room for one more element in an array that holds `count` of `*capacity` elements of `size`
 * bytes. Returns the array's (possibly new) address and updates `*capacity`.
 */
void *alloc_grow(void *array, size_t count, size_t *capacity, size_t size);

/* Appends `length` bytes. */
void buf_add(struct buf *buf, const void *bytes, size_t length);

/* Appends the string `text` with its NUL. */
void buf_add_string(struct buf *buf, const char *text);

/* How many bytes there are to take. */
size_t buf_length(const struct buf *buf);

/* Takes `length` bytes (at most what there is) from the front. */
void buf_take(struct buf *buf, size_t length);

/* Forgets the content and keeps the memory. */
void buf_clear(struct buf *buf);

/* Frees the memory; the buffer is empty and usable afterwards. */
void buf_free(struct buf *buf);

#endif
