/* SPDX-License-Identifier: LGPL-2.1-only */
/* A guest's device in the store, and the tag that marks a loop device as its own. */
#include "device.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

#define TAG_PREFIX "xen-hotplug:"
#define MOST_DOMID 0x7fef

bool parse_domid(const char *text, unsigned *domid)
{
	return parse_unsigned(text, MOST_DOMID, domid);
}

bool parse_devid(const char *text, unsigned *devid)
{
	return parse_unsigned(text, UINT32_MAX, devid);
}

/* Parses TYPE/DOMID/DEVID at the start of `text`, and sets *end to the rest. */
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

bool parse_token(const char *text, uint32_t *token)
{
	unsigned long long number;

	if (!parse_hex(text, UINT32_MAX, &number, NULL))
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
	unsigned long long token, dev, ino;

	if (strncmp(text, TAG_PREFIX, strlen(TAG_PREFIX)) != 0)
		return false;
	if (!parse_prefix(text + strlen(TAG_PREFIX), &tag->device, &text) || *text != ':')
		return false;
	if (!parse_hex(text + 1, UINT32_MAX, &token, &text) || *text != ':')
		return false;
	if (!parse_hex(text + 1, UINT64_MAX, &dev, &text) || *text != ':')
		return false;
	if (!parse_hex(text + 1, UINT64_MAX, &ino, NULL))
		return false;
	tag->token = (uint32_t)token;
	tag->dev = (dev_t)dev;
	tag->ino = (ino_t)ino;
	return true;
}
