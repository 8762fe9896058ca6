/* SPDX-License-Identifier: LGPL-2.1-only */
/* Numbers written as text. */
#include "number.h"

#include <stddef.h>

bool parse_number(
	const char *text, unsigned long long most, unsigned long long *number, const char **end)
{
	const char *p = text;
	unsigned long long value = 0;

	while (*p >= '0' && *p <= '9') {
		unsigned digit = (unsigned)(*p - '0');

		if (value > (most - digit) / 10 || digit > most)
			return false;
		value = value * 10 + digit;
		p++;
	}
	if (p == text || (!end && *p))
		return false;
	if (end)
		*end = p;
	*number = value;
	return true;
}
