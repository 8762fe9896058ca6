/* SPDX-License-Identifier: LGPL-2.1-only */
/* Arrays that grow. */
#ifndef ARRAY_H
#define ARRAY_H

#include <stddef.h>

/*
 * Makes room for one element more: `array` (NULL at first) holds `count` elements of `size` bytes,
 * and has room for *room. Result: the array, which may have moved, or NULL with errno where memory
 * ran out; then `array` is as it was.
 */
void *array_room(void *array, size_t count, size_t *room, size_t size);

#endif
