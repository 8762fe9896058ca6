/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug publish: writes and removes nodes of a device, all in one transaction. */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "command.h"
#include "deadline.h"
#include "log.h"
#include "message.h"
#include "status.h"
#include "store.h"
#include "transaction.h"

static int publish(const char *base, const struct item *items, size_t count)
{
	struct store store = STORE_CLOSED;
	int status = store_open(&store);

	if (!status)
		status = transaction_apply(&store, base, items, count);
	if (status == STATUS_ABSENT)
		complain(status,
			"The device %s was removed while it was being attached; nothing was "
			"written for it, so attach it again if it is still wanted.",
			QUOTED(base));
	store_close(&store);
	return status;
}

static int run_publish(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"log", required_argument, NULL, 'l'},
		{"deadline", required_argument, NULL, 'd'},
		OPTION_HELP,
	};
	unsigned deadline_ms = DEADLINE_DEFAULT;
	const char *line = NULL;

	for (int option; (option = next_option(command, argc, argv, options)) != -1;) {
		if (option == 'l')
			line = optarg;
		else
			deadline_ms = option_seconds(command, "--deadline", optarg);
	}
	if (argc - optind < 1 || !argv[optind][0])
		return usage_error(command, "'publish' needs a base");

	size_t count = (size_t)(argc - optind - 1);
	struct item *items = calloc(count + 1, sizeof(*items));
	int status = STATUS_DONE;

	if (!items)
		return complain(STATUS_FAILED, "Memory ran out; free some and try again.");
	for (size_t i = 0; i < count && !status; i++)
		if (!item_parse(argv[optind + 1 + (int)i], &items[i]))
			status = usage_error(command, "Item %zu has no key", i + 1);
	if (!status) {
		deadline_store(deadline_ms);
		status = publish(argv[optind], items, count);
	}
	if (!status && line)
		log_line(LOG_INFO, line);
	free(items);
	return status;
}

const struct command command_publish = {
	.name = "publish",
	.usage = "[--log LINE] [--deadline SECONDS] BASE [ITEM...]",
	.summary = "writes and removes nodes of a device in one transaction",
	.help = "\n"
		"An ITEM is KEY=VALUE (write), KEY (remove), or one of them with a question\n"
		"mark in front: skipped where the store denies access. A KEY is relative to\n"
		"BASE unless it begins with a slash. Nothing is written for a device that\n"
		"is gone (BASE/frontend and BASE/frontend-id are absent): exit status 3.\n"
		"\n"
		"  --log LINE          afterwards send LINE to the system log\n"
		"  --deadline SECONDS  give the store so long to answer (10)\n",
	.run = run_publish,
};
