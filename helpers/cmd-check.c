/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug check: whether devices are still as they were attached, by their scripts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "devices/inventory.h"
#include "devices/select.h"
#include "devices/state.h"
#include "devices/verdicts.h"
#include "json.h"
#include "message.h"
#include "output.h"
#include "status.h"

struct check {
	struct inventory inventory;
	bool *selected; /* one for each entry */
	bool as_json, all;
	struct json json;
	bool bad; /* something is not as it should be */
};

static bool is_bad(enum state state)
{
	return state == STATE_BROKEN || state == STATE_STALE || state == STATE_FAILED ||
	       state == STATE_UNKNOWN;
}

static void put_json(struct json *json, const struct entry *entry,
	const struct judgement *judgement, const struct verdicts *verdicts)
{
	char text[ENTRY_TEXT_SIZE];

	json_begin(json, NULL, '{');
	json_text(json, "device", entry_text(entry, text));
	json_text(json, "guest", entry->guest);
	json_number(json, "domid", entry->device.domid);
	json_text(json, "name", entry->name);
	json_text(json, "state", state_word(judgement->state));
	json_text(json, "reason", *judgement->reason ? judgement->reason : NULL);
	json_begin(json, "resources", '[');
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct resource_verdict *each = &verdicts->all[i];

		json_begin(json, NULL, '{');
		json_text(json, "resource", each->resource);
		json_text(json, "verdict", verdict_words(each->verdict));
		json_text(json, "reason", *each->reason ? each->reason : NULL);
		json_end(json, '}');
	}
	json_end(json, ']');
	json_end(json, '}');
}

static void print_entry(const struct entry *entry, const struct judgement *judgement,
	const struct verdicts *verdicts)
{
	char text[ENTRY_TEXT_SIZE], state[STATE_TEXT_SIZE];
	char guest[QUOTE_LIMIT + 4] = "-";

	if (entry->guest)
		escape(guest, QUOTE_LIMIT, entry->guest, strlen(entry->guest), ESCAPE_TEXT);
	printf("%s %s/%s: %s\n", entry_text(entry, text), guest, entry->name,
		state_text(judgement, (long long)time(NULL), state));
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct resource_verdict *each = &verdicts->all[i];

		printf("  %-11s %s%s%s\n", verdict_words(each->verdict), each->resource,
			*each->reason ? ": " : "", each->reason);
	}
	/* The next one may take its time. */
	fflush(stdout);
}

static void check_entry(struct check *check, const struct entry *entry)
{
	struct verdicts verdicts = {.text = NULL};
	struct judgement judgement;

	verdicts_judge(entry, &judgement, &verdicts);
	check->bad |= is_bad(judgement.state);
	if (check->as_json)
		put_json(&check->json, entry, &judgement, &verdicts);
	else
		print_entry(entry, &judgement, &verdicts);
	verdicts_free(&verdicts);
}

static int check_selected(struct check *check)
{
	check->json = (struct json){.to = stdout};
	if (check->as_json)
		json_begin(&check->json, NULL, '[');
	for (size_t i = 0; i < check->inventory.count; i++)
		if (check->all || (check->selected && check->selected[i]))
			check_entry(check, &check->inventory.entries[i]);
	if (check->as_json)
		json_end(&check->json, ']');
	else if (!check->inventory.count)
		puts("No guest has a device.");
	int status = output_end();
	return status ? status : check->bad ? STATUS_FAILED : STATUS_DONE;
}

static int run_check(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"all", no_argument, NULL, 'a'},
		{"json", no_argument, NULL, 'j'},
		OPTION_HELP,
	};
	struct check check = {.as_json = false};

	for (int option; (option = next_option(command, argc, argv, options)) != -1;) {
		check.as_json |= option == 'j';
		check.all |= option == 'a';
	}
	if (check.all == (argc != optind))
		return usage_error(command, "'check' needs devices, or --all");
	int status = inventory_read(&check.inventory);
	if (!status) {
		check.selected = calloc(check.inventory.count + 1, sizeof(*check.selected));
		status = check.selected ? STATUS_DONE : complain_memory();
	}
	for (int i = optind; i < argc && !status; i++)
		status = select_all(&check.inventory, argv[i], check.selected);
	if (!status)
		status = check_selected(&check);
	free(check.selected);
	inventory_free(&check.inventory);
	return status;
}

const struct command command_check = {
	.name = "check",
	.usage = "[--json] --all | DEVICE...",
	.summary = "judges each resource of devices",
	.help = "\n"
		"Starts the check of the script that attached each device, and prints a line for\n"
		"each resource: ok, broken with the reason, or 'not checked' if the resource has\n"
		"no check. A device on which a script works, and one that other scripts have\n"
		"attached, are only listed. The exit status is 1 if a device is broken, stale or\n"
		"failed, or if its state is not known.\n"
		"\n"
		"A DEVICE is the name of a guest, for all that it has; or vbd/1/51712, web/xvda,\n"
		"or vif1.0, as 'xen-hotplug list' has them.\n"
		"\n"
		"  --all   all devices of this host\n"
		"  --json  print an array of objects with the members device, guest, domid, name,\n"
		"          state, reason and resources, an array of objects with resource,\n"
		"          verdict and reason\n",
	.run = run_check,
};
