/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug stale: releases one device if it is stale, for an attach that meets its journal. */
#include <errno.h>

#include "command.h"
#include "deadline.h"
#include "journal.h"
#include "message.h"
#include "stale.h"
#include "status.h"
#include "store.h"

#define BASE "backend/vbd"

/* Releases the device, or only judges it. With STALE_FAILED, *sentence. */
static enum stale release(const struct device *device, bool judge_only, struct store *store,
	char sentence[STALE_SENTENCE_SIZE])
{
	struct journal_head head;
	bool read = journal_head_read(device, "", &head);
	enum stale stale = STALE_RELEASED;

	if (!read && errno == ENOENT)
		return STALE_RELEASED;
	if (!read || journal_is_current(&head))
		stale = stale_judge(store, BASE, device, sentence);
	if (stale == STALE_RELEASED && !judge_only)
		stale = stale_release(device, deadline_within(STALE_ATTACH_MS), sentence);
	return stale;
}

static int tell(const struct device *device, enum stale stale, const char *sentence)
{
	char text[DEVICE_TEXT_SIZE];

	device_text(device, text);
	switch (stale) {
	case STALE_RELEASED:
		return STATUS_DONE;
	case STALE_ALIVE:
		return complain(STATUS_BUSY, "The device %s is not stale; detach it first.", text);
	case STALE_SERVED:
		return complain(STATUS_FAILED,
			"The device %s is kept, because the kernel still serves domain %u; destroy "
			"it first.",
			text, device->domid);
	case STALE_LOCKED:
		return complain(STATUS_FAILED,
			"The device %s is kept, because another script works on it; try again "
			"later.",
			text);
	case STALE_FAILED:
		break;
	}
	return complain(STATUS_FAILED, "The stale device %s is not released: %s", text, sentence);
}

static int run_stale(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"judge-only", no_argument, NULL, 'j'},
		OPTION_HELP,
	};
	char sentence[STALE_SENTENCE_SIZE];
	struct store store = STORE_CLOSED;
	struct device device;
	bool judge_only = false;

	while (next_option(command, argc, argv, options) != -1)
		judge_only = true;
	if (argc - optind != 1)
		return usage_error(command, "'stale' needs one device");
	option_device(command, argv[optind], &device);
	int status = store_open(&store);
	if (!status)
		status = tell(&device, release(&device, judge_only, &store, sentence), sentence);
	store_close(&store);
	return status;
}

const struct command command_stale = {
	.name = "stale",
	.usage = "[--judge-only] TYPE/DOMID/DEVID",
	.summary = "releases a device if it is stale",
	.help = "\n"
		"Does what gc does for one device that has a journal. The exit status is 0 if\n"
		"nothing is left of it, 4 if it is not stale, and 1 if something is left. It\n"
		"takes at most 12 s.\n"
		"\n"
		"  --judge-only  change nothing; succeed if the device may be released\n",
	.run = run_stale,
};
