/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Fuzzes what the helper parses: device numbers, tags, mounts, layers of overlays, swaps, fdinfo,
 * numbers, items, journals, arguments, names of devices, verdicts, and
 * strings for JSON.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "call/arguments.h"
#include "devices/name.h"
#include "devices/verdicts.h"
#include "disk/device.h"
#include "disk/looplist.h"
#include "disk/mounts.h"
#include "disk/opaque.h"
#include "disk/overlay.h"
#include "disk/process.h"
#include "disk/served.h"
#include "disk/services.h"
#include "holder.h"
#include "journal.h"
#include "json.h"
#include "number.h"
#include "transaction.h"

static void fuzz_device(const char *text)
{
	char formatted[DEVICE_TEXT_SIZE];
	struct device device, again;

	if (!device_parse(text, &device))
		return;
	assert(device.domid < 0x7ff0 && strlen(device.type) < sizeof(device.type));
	assert(device_parse(device_text(&device, formatted), &again));
	assert(device_equal(&device, &again));
}

static void fuzz_tag(const char *text)
{
	char formatted[TAG_SIZE];
	struct tag tag, again;

	if (!tag_parse(text, &tag) || !tag_format(formatted, &tag))
		return;
	assert(tag_parse(formatted, &again));
	assert(device_equal(&tag.device, &again.device));
	assert(tag.token == again.token && tag.dev == again.dev && tag.ino == again.ino);
}

static void fuzz_physical_device(const char *text)
{
	dev_t number;

	if (parse_physical_device(text, &number))
		assert(major(number) <= 0xfff && minor(number) <= 0xfffff);
	if (parse_device(text, &number))
		assert(major(number) <= 0xfff && minor(number) <= 0xfffff);
}

static void fuzz_number(const char *text)
{
	static const unsigned long long most[] = {0, 1, 9, 10, 0x7fef, UINT32_MAX, UINT64_MAX};

	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		unsigned long long number;
		const char *end;

		if (parse_number(text, most[i], &number, &end))
			assert(number <= most[i] && end > text && end <= text + strlen(text));
		if (parse_number(text, most[i], &number, NULL))
			assert(number <= most[i]);
	}
}

static void fuzz_item(char *text)
{
	const char *end = text + strlen(text);
	struct item item;

	if (!item_parse(text, &item))
		return;
	assert(item.key[0] && item.key >= text && item.key < end);
	assert(!item.value || (item.value > item.key && item.value <= end));
}

static void fuzz_mount(char *text)
{
	const char *end = text + strlen(text);
	struct mount mount;

	if (!mount_parse(text, &mount))
		return;
	assert(mount.where >= text && mount.where + strlen(mount.where) <= end);
	assert(mount.source >= text && mount.source + strlen(mount.source) <= end);
	assert(mount.root >= text && mount.root + strlen(mount.root) <= end);
	assert(mount.type >= text && mount.type + strlen(mount.type) <= end);
	assert(mount.options >= text && mount.options + strlen(mount.options) <= end);
	assert(path_is_below(mount.where, mount.where));
	path_is_below(mount.source, mount.where);
}

/* `context` is the size of the options. */
static bool check_layer(const char *layer, void *context)
{
	size_t length = strlen(layer);

	assert(length && length <= *(const size_t *)context);
	return length != 3;
}

static void fuzz_layers(const char *text)
{
	size_t size = strlen(text);

	overlay_each_layer(text, check_layer, &size);
}

static void fuzz_paths(char *text)
{
	char *rest = text;
	const char *one = strsep(&rest, ":");

	assert(!opaque_paths_match(one, one) == (one[0] != '/'));
	if (rest)
		assert(opaque_paths_match(one, rest) == opaque_paths_match(rest, one));
}

static void fuzz_swap(char *text)
{
	size_t length = strlen(text);
	const char *path = swap_parse(text);

	assert(!path || (path == text && strlen(path) <= length));
}

static void fuzz_partition(char *text)
{
	char name[LOOP_NAME_SIZE];
	dev_t number;

	if (loop_parse_partition(text, name, &number))
		assert(major(number) == LOOP_MAJOR_NUMBER && strlen(name) < sizeof(name));
}

static void fuzz_fdinfo(char *text)
{
	struct fdinfo info;

	if (fdinfo_parse(text, &info))
		assert(!info.has_mount || info.mount <= INT32_MAX);
}

static void fuzz_holder(char *text)
{
	holder_line_covers(text, 1048, 100);
}

static void fuzz_params(const char *text)
{
	const char *path = served_params_path(text);

	assert(!path || (path[0] == '/' && path >= text && path < text + strlen(text)));
	assert(services_socket_pid(text) <= INT32_MAX);
}

/* Each parser that changes its text gets a copy of its own, of the exact size. */
static void with_copy(const char *text, void (*fuzz)(char *))
{
	char *copy = strdup(text);

	if (copy)
		fuzz(copy);
	free(copy);
}

/* Fields end within their record, and a record within the bytes. */
static void fuzz_records(const char *bytes, size_t size)
{
	const char *at = bytes, *end = bytes + size, *before = at;
	struct record record;

	for (; journal_next(&at, end, &record); before = at) {
		assert(record.word == before && record.count && at <= end && !at[-1]);
		assert(record_field(&record, 0) == record.field);
		assert(!record_field(&record, record.count));
		const char *last = record_field(&record, record.count - 1);
		assert(last >= record.field && last + strlen(last) + 2 == at);
	}
	assert(at == before);
}

/* Bytes, with NULs in them. */
static void fuzz_journal(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size ? size : 1);
	struct journal_head head;

	if (!bytes)
		return;
	memcpy(bytes, data, size);
	fuzz_records(bytes, size);
	journal_head_parse(bytes, size, &head);
	assert(strlen(head.boot) < sizeof(head.boot));
	assert(!head.script[0] || head.script[0] == '/');
	free(bytes);
}

static void fuzz_arguments(char *text)
{
	static char setting[] = "type_if=tap";
	char *const words[] = {text, setting, NULL};
	struct arguments arguments;
	struct device device;

	arguments_parse(words, text, &arguments);
	assert(arguments.verb[0] == '\0' || arguments.verb == text);
	assert(!strcmp(arguments.device.type, "vif") == !strncmp(text, "backend/vif/", 12) ||
		!arguments.device.type[0] || text[0] == '/');
	if (arguments_parse_tap(text, &device))
		assert(!strcmp(device.type, "vif"));
}

static void fuzz_journal_name(const char *text)
{
	struct device device;

	if (journal_name_parse(text, &device))
		assert(device.type[0] == 'v' && text[0] == 'v');
}

/* A name matches the device that has it, and its own path. */
static void fuzz_name(const char *text)
{
	struct device device = {.type = "vbd", .domid = 1, .devid = 51712};
	struct named named = {.device = &device, .guest = text, .name = "xvda"};
	char path[sizeof("backend/-emu") + DEVICE_TEXT_SIZE], plain[DEVICE_TEXT_SIZE];
	char vdev[VDEV_SIZE];

	assert(name_matches(text, &named));
	device_parse(text, &device);
	assert(strlen(vdev_name(device.devid, vdev)) < VDEV_SIZE);
	named.emulated = true;
	snprintf(path, sizeof(path), "backend/%s-emu", device_text(&device, plain));
	assert(name_matches(path, &named));
	name_matches(text, &named);
}

/* What a check prints. */
static void fuzz_verdicts(char *text)
{
	const char *end = text + strlen(text);
	struct verdicts verdicts = {.text = NULL};

	verdicts_parse(text, &verdicts);
	assert(verdicts.count <= MOST_VERDICTS);
	for (size_t i = 0; i < verdicts.count; i++)
		assert(verdicts.all[i].resource <= end);
}

/* No byte of a string ends it, or is one that JSON does not allow. */
static void fuzz_json(const char *text)
{
	char *written = NULL;
	size_t length = 0;
	struct json json = {.to = open_memstream(&written, &length)};

	if (!json.to)
		return;
	json_text(&json, NULL, text);
	if (fclose(json.to))
		return;
	assert(length >= 2 && written[0] == '"' && written[length - 1] == '"');
	for (size_t i = 1; i < length - 1; i++) {
		assert((unsigned char)written[i] >= 0x20 && written[i] != 0x7f &&
			written[i] != '"');
		if (written[i] == '\\')
			i += written[i + 1] == 'u' ? 5 : 1;
	}
	free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	fuzz_journal(data, size);
	fuzz_journal_name(text);
	fuzz_name(text);
	fuzz_json(text);
	fuzz_device(text);
	fuzz_tag(text);
	fuzz_physical_device(text);
	fuzz_number(text);
	fuzz_params(text);
	fuzz_layers(text);
	with_copy(text, fuzz_arguments);
	with_copy(text, fuzz_verdicts);
	with_copy(text, fuzz_fdinfo);
	with_copy(text, fuzz_holder);
	with_copy(text, fuzz_item);
	with_copy(text, fuzz_mount);
	with_copy(text, fuzz_swap);
	with_copy(text, fuzz_paths);
	with_copy(text, fuzz_partition);
	free(text);
	return 0;
}
