/* SPDX-License-Identifier: LGPL-2.1-only */
/* Numbers written as text. */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>

/*
 * Parses a decimal number without sign or blanks, up to `most`; `end` (where it is not NULL) is set
 * to the first byte after it, else the text must end there. Result: whether there was one.
 */
bool parse_number(
	const char *text, unsigned long long most, unsigned long long *number, const char **end);

#endif
