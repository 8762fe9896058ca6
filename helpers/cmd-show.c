/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug show: all that is known of one device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "devices/inventory.h"
#include "devices/logread.h"
#include "devices/select.h"
#include "devices/state.h"
#include "devices/verdicts.h"
#include "message.h"
#include "output.h"
#include "status.h"

/* Of the log, as many lines are shown. */
#define LOG_LINES 5

static void print_field(const char *name, const char *value)
{
	char shown[SENTENCE_LIMIT + 4];

	escape(shown, SENTENCE_LIMIT, value, strlen(value), ESCAPE_TEXT);
	printf("%-9s %s\n", name, shown);
}

static void print_since(long long seconds)
{
	time_t time = (time_t)seconds;
	struct tm parts;
	char text[32];

	if (seconds && localtime_r(&time, &parts) &&
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts))
		print_field("since", text);
}

static void print_head(const struct entry *entry, const struct judgement *judgement)
{
	char text[ENTRY_TEXT_SIZE], state[STATE_TEXT_SIZE], domid[16], bridge[BRIDGE_SIZE];
	const char *script = state_script(entry), *what = state_what(entry, bridge);

	print_field("device", entry_text(entry, text));
	print_field("name", entry->name);
	print_field("guest", entry->guest ? entry->guest : "(not known)");
	snprintf(domid, sizeof(domid), "%u", entry->device.domid);
	print_field("domain", domid);
	if (script)
		print_field("script", script);
	if (what)
		print_field("what", what);
	print_since(judgement->since);
	print_field("state", state_text(judgement, (long long)time(NULL), state));
}

static void print_nodes(const struct entry *entry)
{
	if (!entry->nodes[NODE_SELF])
		return;
	puts("\nNodes:");
	for (size_t i = NODE_SELF + 1; i < NODES; i++)
		if (entry->nodes[i])
			printf("  %s = %s\n", node_names[i], QUOTED(entry->nodes[i]));
}

/* Whether the resource notes the key again, in a record from `at` on. */
static bool is_noted_again(const char *at, const char *end, const char *key)
{
	struct record record;

	while (journal_next(&at, end, &record) && strcmp(record.word, "use") != 0)
		for (size_t i = 0; !strcmp(record.word, "note") && i + 1 < record.count; i += 2)
			if (!strcmp(record_field(&record, i), key))
				return true;
	return false;
}

/* What a resource remembers, as it noted it last. */
static void print_notes(const struct record *record, const char *at, const char *end)
{
	for (size_t i = 0; i + 1 < record->count; i += 2) {
		const char *key = record_field(record, i), *value = record_field(record, i + 1);
		char shown[QUOTE_LIMIT + 4];

		if (!*value || is_noted_again(at, end, key))
			continue;
		escape(shown, QUOTE_LIMIT, key, strlen(key), ESCAPE_TEXT);
		printf("    %s = %s\n", shown, QUOTED(value));
	}
}

static void print_use(const struct record *record, const struct resource_verdict *verdict)
{
	char name[QUOTE_LIMIT + 4];

	escape(name, QUOTE_LIMIT, record->field, strlen(record->field), ESCAPE_TEXT);
	printf("  %s", name);
	for (size_t i = 1; i < record->count; i++)
		printf(" %s", QUOTED(record_field(record, i)));
	if (verdict)
		printf("\n    %s%s%s", verdict_words(verdict->verdict),
			*verdict->reason ? ": " : "", verdict->reason);
	putchar('\n');
}

static void print_resources(const struct entry *entry, const struct verdicts *verdicts)
{
	const char *at = entry->journal.bytes;
	struct record record;
	size_t uses = 0;

	if (!at || journal_unknown_format(&entry->journal))
		return;
	const char *end = at + entry->journal.length;
	puts("\nResources:");
	while (journal_next(&at, end, &record)) {
		if (!strcmp(record.word, "use")) {
			print_use(&record, uses < verdicts->count ? &verdicts->all[uses] : NULL);
			uses++;
		} else if (!strcmp(record.word, "note")) {
			print_notes(&record, at, end);
		}
	}
}

/* The last lines of the log that name a device: a ring. */
struct tail {
	char device[DEVICE_TEXT_SIZE];
	char *lines[LOG_LINES];
	size_t count;
};

static void take_line(void *context, const struct log_entry *entry)
{
	struct tail *tail = context;
	const char *at = strstr(entry->line, tail->device);

	/* Not vbd/1/512 in a line of vbd/1/51200. */
	if (!at || (at[strlen(tail->device)] >= '0' && at[strlen(tail->device)] <= '9'))
		return;
	char **place = &tail->lines[tail->count++ % LOG_LINES];
	free(*place);
	*place = strdup(entry->line);
}

static void print_log(const struct entry *entry)
{
	struct tail tail = {.count = 0};

	device_text(&entry->device, tail.device);
	if (logread_each(take_line, &tail))
		return;
	if (tail.count)
		puts("\nLog:");
	for (size_t i = 0; i < LOG_LINES; i++) {
		const char *line = tail.lines[(tail.count + i) % LOG_LINES];
		char shown[SENTENCE_LIMIT + 4];

		if (!line)
			continue;
		escape(shown, SENTENCE_LIMIT, line, strlen(line), ESCAPE_TEXT);
		printf("  %s\n", shown);
	}
	for (size_t i = 0; i < LOG_LINES; i++)
		free(tail.lines[i]);
}

static int show(const struct entry *entry)
{
	struct verdicts verdicts = {.text = NULL};
	struct judgement judgement;

	verdicts_judge(entry, &judgement, &verdicts);
	print_head(entry, &judgement);
	print_nodes(entry);
	print_resources(entry, &verdicts);
	verdicts_free(&verdicts);
	fflush(stdout);
	print_log(entry);
	return output_end();
}

static int run_show(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {OPTION_HELP};
	struct inventory inventory;
	const struct entry *entry;

	next_option(command, argc, argv, options);
	if (argc - optind != 1)
		return usage_error(command, "'show' needs one device");
	int status = inventory_read(&inventory);
	if (!status)
		status = select_one(&inventory, argv[optind], &entry);
	if (!status)
		status = show(entry);
	inventory_free(&inventory);
	return status;
}

const struct command command_show = {
	.name = "show",
	.usage = "DEVICE",
	.summary = "shows all that is known of a device",
	.help = "\n"
		"Prints its names, script and state; its nodes; and each resource that its\n"
		"script uses for it: the arguments, what the check says of it, and what it\n"
		"remembers for the detach; and the last lines of the log that name it.\n"
		"\n"
		"A DEVICE is called as in 'xen-hotplug list': vbd/1/51712, web/xvda, vif1.0, its\n"
		"vifname, or the name of a guest that has one device.\n",
	.run = run_show,
};
