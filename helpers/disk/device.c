/* SPDX-License-Identifier: LGPL-2.1-only */
/* A guest's device as the store names it, and the tag by which a loop device belongs to one. */
#include "device.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "number.h"

#define TAG_PREFIX "xen-hotplug:"
#define MOST_DOMID 0x7fef
#define MOST_MAJOR 0xfff
#define MOST_MINOR 0xfffff

bool parse_domid(const char *text, unsigned *domid)
{
	unsigned long long number;

	if (!parse_number(text, MOST_DOMID, &number, NULL))
		return false;
	*domid = (unsigned)number;
	return true;
}

bool parse_devid(const char *text, unsigned *devid)
{
	unsigned long long number;

	if (!parse_number(text, UINT32_MAX, &number, NULL))
		return false;
	*devid = (unsigned)number;
	return true;
}

/* TYPE/DOMID/DEVID; *end is set to what follows. */
static bool parse_prefix(const char *text, struct device *device, const char **end)
{
	unsigned long long domid, devid;
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");

	if (!length || length >= DEVICE_TYPE_SIZE || text[length] != '/')
		return false;
	if (!parse_number(text + length + 1, MOST_DOMID, &domid, end) || **end != '/')
		return false;
	if (!parse_number(*end + 1, UINT32_MAX, &devid, end))
		return false;
	*device = (struct device){.domid = (unsigned)domid, .devid = (unsigned)devid};
	memcpy(device->type, text, length);
	return true;
}

bool device_parse(const char *text, struct device *device)
{
	const char *end;

	return parse_prefix(text, device, &end) && !*end;
}

const char *device_text(const struct device *device, char text[DEVICE_TEXT_SIZE])
{
	snprintf(text, DEVICE_TEXT_SIZE, "%s/%u/%u", device->type, device->domid, device->devid);
	return text;
}

bool device_equal(const struct device *a, const struct device *b)
{
	return a->domid == b->domid && a->devid == b->devid && !strcmp(a->type, b->type);
}

/* Hexadecimal digits, up to `most`. Result: the first byte after them, or NULL. */
static const char *parse_hex(const char *text, uint64_t most, uint64_t *number)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *p = text;
	uint64_t value = 0;

	for (const char *digit; *p && (digit = strchr(digits, *p)); p++) {
		if (value > most >> 4)
			return NULL;
		value = value << 4 | ((uint64_t)(digit - digits) & 0xf);
	}
	if (p == text || value > most)
		return NULL;
	*number = value;
	return p;
}

bool parse_token(const char *text, uint32_t *token)
{
	uint64_t number;
	const char *end = parse_hex(text, UINT32_MAX, &number);

	if (!end || *end)
		return false;
	*token = (uint32_t)number;
	return true;
}

bool tag_format(char text[TAG_SIZE], const struct tag *tag)
{
	char device[DEVICE_TEXT_SIZE];
	int length = snprintf(text, TAG_SIZE, TAG_PREFIX "%s:%" PRIx32 ":%" PRIx64 ":%" PRIx64,
		device_text(&tag->device, device), tag->token, (uint64_t)tag->dev,
		(uint64_t)tag->ino);

	return length > 0 && length < TAG_SIZE;
}

bool tag_parse(const char *text, struct tag *tag)
{
	const char *p;
	uint64_t token, dev, ino;

	if (strncmp(text, TAG_PREFIX, strlen(TAG_PREFIX)) != 0)
		return false;
	if (!parse_prefix(text + strlen(TAG_PREFIX), &tag->device, &p) || *p != ':')
		return false;
	p = parse_hex(p + 1, UINT32_MAX, &token);
	if (!p || *p != ':')
		return false;
	p = parse_hex(p + 1, UINT64_MAX, &dev);
	if (!p || *p != ':')
		return false;
	p = parse_hex(p + 1, UINT64_MAX, &ino);
	if (!p || *p)
		return false;
	tag->token = (uint32_t)token;
	tag->dev = (dev_t)dev;
	tag->ino = (ino_t)ino;
	return true;
}

/* What sscanf skips in front of a number. */
static const char *skip_prefix(const char *text)
{
	text += strspn(text, " \t\n\v\f\r");
	bool prefixed = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	return prefixed ? text + 2 : text;
}

bool parse_physical_device(const char *text, dev_t *device)
{
	uint64_t major_number, minor_number;

	text = parse_hex(skip_prefix(text), MOST_MAJOR, &major_number);
	if (!text || *text != ':')
		return false;
	if (!parse_hex(skip_prefix(text + 1), MOST_MINOR, &minor_number))
		return false;
	*device = makedev((unsigned)major_number, (unsigned)minor_number);
	return true;
}
