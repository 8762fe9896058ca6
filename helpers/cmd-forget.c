/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug forget: the end of a detach: removes the device's file and logs a line. */
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "message.h"
#include "status.h"

static int run_forget(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"log", required_argument, NULL, 'l'},
		OPTION_HELP,
	};
	const char *line = NULL;

	while (next_option(command, argc, argv, options) != -1)
		line = optarg;
	if (argc - optind != 1 || !argv[optind][0])
		return usage_error(command, "'forget' needs one file");

	if (unlink(argv[optind]) && errno != ENOENT)
		return complain(STATUS_FAILED,
			"Cannot remove %s (%s); remove it by hand, or the next attach of this "
			"device will try to clean up after it.",
			QUOTED(argv[optind]), strerror(errno));
	if (line)
		log_line(LOG_INFO, line);
	return STATUS_DONE;
}

const struct command command_forget = {
	.name = "forget",
	.usage = "[--log LINE] FILE",
	.summary = "removes the file of a device that is detached",
	.help = "\n"
		"A FILE that is absent is fine.\n"
		"\n"
		"  --log LINE  afterwards send LINE to the system log\n",
	.run = run_forget,
};
