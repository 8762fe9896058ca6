/* SPDX-License-Identifier: LGPL-2.1-only */
/* Numbers and device numbers written as text, and sectors. */
#include "number.h"

#include <stddef.h>
#include <string.h>
#include <sys/sysmacros.h>

/* The kernel's limits (include/linux/kdev_t.h): 12 bits of major, 20 of minor number. */
#define MOST_MAJOR 0xfff
#define MOST_MINOR 0xfffff

/* The value of a digit, or `base` if `c` is not a digit. */
static unsigned digit_value(char c, unsigned base)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *digit = c ? strchr(digits, c) : NULL;
	unsigned value = digit ? (unsigned)(digit - digits) % 16 : base;

	return value < base ? value : base;
}

static bool parse_digits(const char *text, unsigned base, unsigned long long most,
	unsigned long long *number, const char **end)
{
	unsigned long long value = 0;
	const char *p = text;
	unsigned digit;

	for (; (digit = digit_value(*p, base)) < base; p++) {
		if (digit > most || value > (most - digit) / base)
			return false;
		value = value * base + digit;
	}
	if (p == text || (!end && *p))
		return false;
	if (end)
		*end = p;
	*number = value;
	return true;
}

bool parse_number(
	const char *text, unsigned long long most, unsigned long long *number, const char **end)
{
	return parse_digits(text, 10, most, number, end);
}

bool parse_hex(
	const char *text, unsigned long long most, unsigned long long *number, const char **end)
{
	return parse_digits(text, 16, most, number, end);
}

bool parse_unsigned(const char *text, unsigned most, unsigned *number)
{
	unsigned long long value;

	if (!parse_number(text, most, &value, NULL))
		return false;
	*number = (unsigned)value;
	return true;
}

bool parse_device(const char *text, dev_t *device)
{
	unsigned long long major_number, minor_number;

	if (!parse_number(text, MOST_MAJOR, &major_number, &text) || *text != ':')
		return false;
	if (!parse_number(text + 1, MOST_MINOR, &minor_number, &text))
		return false;
	if (*text && *text != '\n' && *text != ' ')
		return false;
	*device = makedev((unsigned)major_number, (unsigned)minor_number);
	return true;
}

/* Skips what sscanf skips before a "%x". */
static const char *skip_prefix(const char *text)
{
	text += strspn(text, " \t\n\v\f\r");
	bool prefixed = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	return prefixed ? text + 2 : text;
}

bool parse_physical_device(const char *text, dev_t *device)
{
	unsigned long long major_number, minor_number;

	if (!parse_hex(skip_prefix(text), MOST_MAJOR, &major_number, &text) || *text != ':')
		return false;
	if (!parse_hex(skip_prefix(text + 1), MOST_MINOR, &minor_number, &text))
		return false;
	*device = makedev((unsigned)major_number, (unsigned)minor_number);
	return true;
}

bool sectors_to_bytes(uint64_t sectors, uint64_t *bytes)
{
	if (sectors > UINT64_MAX / SECTOR)
		return false;
	*bytes = sectors * SECTOR;
	return true;
}

uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}
