/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug fail: tells the toolstack, the log and the person why a device was not attached. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "call/arguments.h"
#include "command.h"
#include "deadline.h"
#include "log.h"
#include "message.h"
#include "status.h"
#include "store.h"
#include "transaction.h"

/* The name of the guest that has the device, which the caller frees; NULL if it is not known. */
static char *guest_name(struct store *store, const char *base)
{
	char *const none[] = {NULL};
	struct arguments arguments;

	arguments_parse(none, base, &arguments);
	if (!arguments.device.type[0])
		return NULL;
	return store_text(store, "/local/domain/%u/name", arguments.device.domid);
}

/* Logs a guest's name, since a domain id may be another guest's by tomorrow; and frees it. */
static void log_guest(char *guest)
{
	char line[sizeof(LOG_GUEST) + SENTENCE_LIMIT];

	if (guest) {
		snprintf(line, sizeof(line), LOG_GUEST "%s", guest);
		log_line(LOG_NOTICE, line);
	}
	free(guest);
}

/* Writes what `xl` shows. Result: STATUS_DONE, or STATUS_FAILED with a complaint. */
static int tell_store(const char *base, const char *sentence, const char *hotplug_status)
{
	const struct item items[] = {
		{.key = "hotplug-error", .value = sentence},
		{.key = "hotplug-status", .value = hotplug_status},
	};
	struct store store = STORE_CLOSED;
	int status = store_open(&store);
	char *guest = NULL;

	if (!status)
		status = transaction_apply(&store, base, items, sizeof(items) / sizeof(items[0]));
	if (status == STATUS_ABSENT)
		status = complain(STATUS_FAILED,
			"The device %s is gone from the store, so this failure was not written "
			"there.",
			QUOTED(base));
	/* Last, because what xl shows matters more. */
	if (store.xs)
		guest = guest_name(&store, base);
	store_close(&store);
	log_guest(guest);
	return status;
}

static int run_fail(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"status", required_argument, NULL, 's'},
		{"deadline", required_argument, NULL, 'd'},
		OPTION_HELP,
	};
	unsigned deadline_ms = DEADLINE_DEFAULT;
	const char *hotplug_status = "error";
	char sentence[SENTENCE_LIMIT + 1];

	for (int option; (option = next_option(command, argc, argv, options)) != -1;) {
		if (option == 's')
			hotplug_status = optarg;
		else
			deadline_ms = option_seconds(command, "--deadline", optarg);
	}
	if (strcmp(hotplug_status, "error") != 0 && strcmp(hotplug_status, "busy") != 0)
		return usage_error(
			command, "The status is 'error' or 'busy', not %s", QUOTED(hotplug_status));
	if (argc - optind < 2 || !argv[optind + 1][0])
		return usage_error(command, "'fail' needs a base and a sentence");

	const char *text = argv[optind + 1];
	/* The node takes SENTENCE_LIMIT bytes with the mark of a cut. */
	escape(sentence, SENTENCE_LIMIT - strlen("…"), text, strlen(text), ESCAPE_TEXT);
	/* Not this program's own failure, which has a sentence of its own. */
	dprintf(STDERR_FILENO, "%s\n", sentence);
	log_line(LOG_ERR, sentence);
	for (int i = optind + 2; i < argc; i++)
		log_line(LOG_NOTICE, argv[i]);
	if (!argv[optind][0])
		return STATUS_DONE;
	deadline_store(deadline_ms);
	return tell_store(argv[optind], sentence, hotplug_status);
}

const struct command command_fail = {
	.name = "fail",
	.usage = "[--status error|busy] [--deadline SECONDS] BASE SENTENCE [TRACE...]",
	.summary = "reports why a device was not attached",
	.help = "\n"
		"Writes SENTENCE to BASE/hotplug-error and the status to\n"
		"BASE/hotplug-status, in one transaction and only where the device is still\n"
		"there; prints SENTENCE on standard error; sends SENTENCE, then each TRACE,\n"
		"to the system log, and then the name of the guest. Where the store does not take "
		"it, a second line on\n"
		"standard error says why, and the exit status is 1. An empty BASE stands for\n"
		"a device that is not known: the store is not asked.\n"
		"\n"
		"  --status STATUS     'error' (as without it) or 'busy'\n"
		"  --deadline SECONDS  give the store so long to answer (10)\n",
	.run = run_fail,
};
