/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug lock, unlock: what several devices share is changed by one script at a time. */
#include "command.h"
#include "lock.h"
#include "number.h"
#include "status.h"

#define MOST_DESCRIPTOR 1048576

/* Parses FD:NAME. Result: STATUS_DONE, or that of a complaint. */
static int parse(const struct command *command, int argc, char *argv[], struct lock *lock)
{
	unsigned long long fd;
	const char *end;

	if (argc - optind != 1 || !parse_number(argv[optind], MOST_DESCRIPTOR, &fd, &end) ||
		*end != ':' || !end[1])
		return usage_error(command, "'%s' needs FD:NAME", command->name);
	*lock = (struct lock){.fd = (int)fd, .name = end + 1};
	return STATUS_DONE;
}

static int run_lock(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"wait", required_argument, NULL, 'w'},
		OPTION_HELP,
	};
	unsigned wait_ms = LOCK_WAIT_DEFAULT;
	struct lock lock = {.fd = -1};

	while (next_option(command, argc, argv, options) != -1)
		wait_ms = option_seconds(command, "--wait", optarg);
	int status = parse(command, argc, argv, &lock);
	return status ? status : lock_take(&lock, 1, wait_ms);
}

static int run_unlock(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {OPTION_HELP};
	struct lock lock = {.fd = -1};

	while (next_option(command, argc, argv, options) != -1)
		;
	int status = parse(command, argc, argv, &lock);
	return status ? status : lock_drop(lock.fd, lock.name);
}

const struct command command_lock = {
	.name = "lock",
	.usage = "[--wait SECONDS] FD:NAME",
	.summary = "takes a lock, which the file open as descriptor FD holds",
	.help = "\n"
		"It is held until 'unlock', or until the last copy of the descriptor is closed.\n"
		"\n"
		"  --wait SECONDS  wait so long for it (15)\n",
	.run = run_lock,
};

const struct command command_unlock = {
	.name = "unlock",
	.usage = "FD:NAME",
	.summary = "gives up a lock",
	.help = "",
	.run = run_unlock,
};
