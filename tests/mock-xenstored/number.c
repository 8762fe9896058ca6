/* SPDX-License-Identifier: LGPL-2.1-only */
/* Decimal numbers in text. */
#include "number.h"

bool number_parse(uint64_t *out, const char *text, uint64_t max)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(unsigned char)*text - '0';

		if (digit > 9 || digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*out = number;
	return true;
}
