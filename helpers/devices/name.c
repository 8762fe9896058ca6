/* SPDX-License-Identifier: LGPL-2.1-only */
/* The names by which people know guests' devices. */
#include "name.h"

#include <stdio.h>
#include <string.h>

#include "journal.h"

#define BACKEND "backend/"
/* Room for vifDOMID.DEVID-emu. */
#define VIF_SIZE 32

/* Formats the letters of a disk: a to z, aa, ab, … */
static void put_letters(unsigned disk, char letters[8])
{
	char reversed[8];
	size_t count = 0;

	for (disk++; disk && count < sizeof(reversed); disk = (disk - 1) / 26)
		reversed[count++] = (char)('a' + (disk - 1) % 26);
	for (size_t i = 0; i < count; i++)
		letters[i] = reversed[count - 1 - i];
	letters[count] = '\0';
}

/* xen.git, docs/man/xen-vbd-interface.7.pandoc. */
const char *vdev_name(unsigned devid, char name[VDEV_SIZE])
{
	static const struct {
		unsigned first, last, shift, disk;
		const char *prefix;
	} ranges[] = {
		{202 << 8, (202 << 8) + 255, 4, 0, "xvd"},
		{1U << 28, (1U << 29) - 1, 8, 0, "xvd"},
		{8 << 8, (8 << 8) + 255, 4, 0, "sd"},
		{3 << 8, (3 << 8) + 127, 6, 0, "hd"},
		{22 << 8, (22 << 8) + 127, 6, 2, "hd"},
	};

	snprintf(name, VDEV_SIZE, "%u", devid);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		unsigned offset = devid - ranges[i].first;
		unsigned part = offset & ((1U << ranges[i].shift) - 1);
		char letters[8];

		if (devid < ranges[i].first || devid > ranges[i].last)
			continue;
		put_letters(ranges[i].disk + (offset >> ranges[i].shift), letters);
		snprintf(name, VDEV_SIZE, "%s%s", ranges[i].prefix, letters);
		if (part)
			snprintf(name + strlen(name), VDEV_SIZE - strlen(name), "%u", part);
	}
	return name;
}

/* Whether the text ends with "-emu", as the device does or does not; *length is of the rest. */
static bool same_suffix(const char *text, const struct named *named, size_t *length)
{
	size_t suffix = strlen(JOURNAL_EMULATED);

	*length = strlen(text);
	bool emulated = *length > suffix && !strcmp(text + *length - suffix, JOURNAL_EMULATED);
	if (emulated)
		*length -= suffix;
	return emulated == named->emulated;
}

static bool matches_path(const char *text, const struct named *named)
{
	char plain[sizeof(BACKEND) + DEVICE_TEXT_SIZE];
	struct device device;
	size_t length;

	if (!strncmp(text, BACKEND, strlen(BACKEND)))
		text += strlen(BACKEND);
	if (!same_suffix(text, named, &length) || length >= sizeof(plain))
		return false;
	snprintf(plain, sizeof(plain), "%.*s", (int)length, text);
	return device_parse(plain, &device) && device_equal(&device, named->device);
}

static bool matches_own_name(const char *text, const struct named *named)
{
	const struct device *device = named->device;
	char usual[VIF_SIZE];

	if (!strcmp(text, named->name))
		return true;
	if (!strcmp(device->type, "vif"))
		snprintf(usual, sizeof(usual), "vif%u.%u%s", device->domid, device->devid,
			named->emulated ? JOURNAL_EMULATED : "");
	else
		vdev_name(device->devid, usual);
	return !strcmp(text, usual);
}

static bool matches_guest(const char *text, size_t length, const struct named *named)
{
	char domid[16];

	snprintf(domid, sizeof(domid), "%u", named->device->domid);
	if (strlen(domid) == length && !memcmp(text, domid, length))
		return true;
	return named->guest && strlen(named->guest) == length &&
	       !memcmp(text, named->guest, length);
}

bool name_matches(const char *text, const struct named *named)
{
	const char *slash = strrchr(text, '/');

	if (matches_path(text, named) || matches_own_name(text, named) ||
		matches_guest(text, strlen(text), named))
		return true;
	return slash && matches_guest(text, (size_t)(slash - text), named) &&
	       matches_own_name(slash + 1, named);
}
