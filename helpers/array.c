/* SPDX-License-Identifier: LGPL-2.1-only */
/* Arrays that grow. */
#include "array.h"

#include <stdlib.h>

void *array_room(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	void *moved = reallocarray(array, 2 * *room + 8, size);
	if (moved)
		*room = 2 * *room + 8;
	return moved;
}
