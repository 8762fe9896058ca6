/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug list: the devices of this host, a line each. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "devices/inventory.h"
#include "devices/state.h"
#include "devices/table.h"
#include "json.h"
#include "message.h"
#include "output.h"
#include "status.h"

static const struct column columns[] = {
	{"GUEST", 6, 0},
	{"ID", 3, 2},
	{"DEVICE", 8, 0},
	{"SCRIPT", 8, 4},
	{"WHAT", 10, 1},
	{"SINCE", 16, 3},
	{"STATE", 8, 0},
};

struct list {
	struct inventory inventory;
	bool json, stale;
	long long now;
};

static void format_time(long long seconds, const char *format, char text[32])
{
	time_t time = (time_t)seconds;
	struct tm parts;
	bool utc = strchr(format, 'Z') != NULL;

	if (!seconds || !(utc ? gmtime_r(&time, &parts) : localtime_r(&time, &parts)) ||
		!strftime(text, 32, format, &parts))
		text[0] = '\0';
}

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static void add_row(struct table *table, const struct entry *entry,
	const struct judgement *judgement, long long now)
{
	char domid[16], what[BRIDGE_SIZE], since[32], state[STATE_TEXT_SIZE];

	snprintf(domid, sizeof(domid), "%u", entry->device.domid);
	format_time(judgement->since, "%Y-%m-%d %H:%M", since);
	table_add(table, entry->guest);
	table_add(table, domid);
	table_add(table, entry->name);
	table_add(table, last_part(state_script(entry)));
	table_add(table, state_what(entry, what));
	table_add(table, since);
	table_add(table, state_text(judgement, now, state));
}

static void put_entry(
	struct json *json, const struct entry *entry, const struct judgement *judgement)
{
	char text[ENTRY_TEXT_SIZE], what[BRIDGE_SIZE], since[32];

	format_time(judgement->since, "%Y-%m-%dT%H:%M:%SZ", since);
	json_begin(json, NULL, '{');
	json_text(json, "device", entry_text(entry, text));
	json_text(json, "guest", entry->guest);
	json_number(json, "domid", entry->device.domid);
	json_text(json, "name", entry->name);
	json_text(json, "script", state_script(entry));
	json_text(json, "what", state_what(entry, what));
	json_text(json, "since", *since ? since : NULL);
	json_text(json, "state", state_word(judgement->state));
	json_text(json, "reason", *judgement->reason ? judgement->reason : NULL);
	json_end(json, '}');
}

static int print(const struct list *list)
{
	struct table table = {
		.columns = columns, .column_count = sizeof(columns) / sizeof(columns[0])};
	struct json json = {.to = stdout};
	int status;

	if (list->json)
		json_begin(&json, NULL, '[');
	for (size_t i = 0; i < list->inventory.count; i++) {
		const struct entry *entry = &list->inventory.entries[i];
		struct judgement judgement;

		state_judge(entry, &judgement);
		if (list->stale && judgement.state != STATE_STALE)
			continue;
		if (list->json)
			put_entry(&json, entry, &judgement);
		else
			add_row(&table, entry, &judgement, list->now);
	}
	if (list->json)
		json_end(&json, ']');
	if (!list->json && !table.count && !table.failed)
		puts(list->stale ? "Nothing is stale." : "No guest has a device.");
	status = list->json || (!table.count && !table.failed)
			 ? output_end()
			 : table_print(&table, table_terminal_width());
	table_free(&table);
	return status;
}

static int run_list(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"stale", no_argument, NULL, 's'},
		OPTION_HELP,
	};
	struct list list = {.now = (long long)time(NULL)};

	for (int option; (option = next_option(command, argc, argv, options)) != -1;) {
		list.json |= option == 'j';
		list.stale |= option == 's';
	}
	if (argc != optind)
		return usage_error(command, "'list' takes no device; 'show' does");
	int status = inventory_read(&list.inventory);
	if (!status)
		status = print(&list);
	inventory_free(&list.inventory);
	return status;
}

const struct command command_list = {
	.name = "list",
	.usage = "[--json] [--stale]",
	.summary = "lists the devices of guests, and their states",
	.help = "\n"
		"Prints a line for each disk and interface: the guest and its domain id, the\n"
		"disk in the guest or the interface on this host, the script, the image,\n"
		"export or bridge, the time of the attach, and the state:\n"
		"\n"
		"  ok                  attached, and the kernel has what was attached\n"
		"  broken: WHY         something of it is gone, or its attach was not completed\n"
		"  stale               its nodes are gone; 'xen-hotplug gc' releases it\n"
		"  attaching, detaching  its script is at work\n"
		"  failed: WHY         its attach failed\n"
		"  waiting for its script\n"
		"  by Xen's scripts    attached by scripts that write no journal\n"
		"  unknown: WHY        its nodes or its journal cannot be read\n"
		"\n"
		"It asks no script and no file server: 'xen-hotplug check' judges more.\n"
		"\n"
		"  --json   print an array of objects with the members device, guest, domid,\n"
		"           name, script, what, since (UTC), state and reason; a value that is\n"
		"           not known is null, and state is the first word above ('others' for\n"
		"           Xen's scripts)\n"
		"  --stale  only what is stale\n",
	.run = run_list,
};
