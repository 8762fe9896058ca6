/* SPDX-License-Identifier: LGPL-2.1-only */
/* Arrays that grow. */
#ifndef ARRAY_H
#define ARRAY_H

#include <stddef.h>

/*
 * Makes room for one more element. `array` (NULL at first) holds `count` elements of `size` bytes
 * and has room for *room. Result: the array, which may have moved; or NULL with errno if memory ran
 * out, and then `array` is unchanged.
 */
void *array_room(void *array, size_t count, size_t *room, size_t size);

#endif
