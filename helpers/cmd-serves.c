/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug serves: checks that a process has a claimed file open. */
#include <errno.h>
#include <linux/loop.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "deadline.h"
#include "disk/looplist.h"
#include "disk/mounts.h"
#include "disk/process.h"
#include "disk/reachable.h"
#include "message.h"
#include "number.h"
#include "status.h"

/* The file that is searched for. */
struct wanted {
	dev_t dev;
	ino_t ino;
	bool write;
	bool found;
};

/* Stops at the file. */
static bool take_file(void *context, const struct open_file *file)
{
	struct wanted *wanted = context;

	if (!file->block && file->dev == wanted->dev && file->ino == wanted->ino)
		wanted->found |= file->writes || !wanted->write;
	return !wanted->found;
}

/* Reads which file the loop device holds. Result: false with errno. */
static bool read_wanted(const char *loop, struct wanted *wanted)
{
	struct loop_info64 info;

	errno = loop_ask_within(loop, REACHABLE_MS, &info);
	if (errno)
		return false;
	*wanted = (struct wanted){.dev = (dev_t)info.lo_device,
		.ino = (ino_t)info.lo_inode,
		.write = !(info.lo_flags & LO_FLAGS_READ_ONLY)};
	return true;
}

static int look(unsigned pid, struct wanted *wanted)
{
	struct mount_table mounts = {.text = NULL};
	int process = process_open((pid_t)pid);

	if (process >= 0 && mount_table_read(&mounts))
		process_each_file(process, &mounts, take_file, wanted);
	mount_table_free(&mounts);
	if (process >= 0)
		close(process);
	if (wanted->found)
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"The process %u has opened another file than the claimed one, because its path "
		"was changed; try again.",
		pid);
}

static int run_serves(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {OPTION_HELP};
	struct wanted wanted;
	unsigned pid;

	while (next_option(command, argc, argv, options) != -1)
		;
	if (argc - optind != 2 || !parse_unsigned(argv[optind], INT32_MAX, &pid) || !pid)
		return usage_error(command, "'serves' needs a process id and a loop device");
	deadline_exit(DEADLINE_DEFAULT,
		"Examining the process %u took longer than %g s; see what it waits for.", pid,
		DEADLINE_DEFAULT / 1000.0);
	bool read = read_wanted(argv[optind + 1], &wanted);
	if (!read && errno == ETIMEDOUT)
		return complain(STATUS_FAILED,
			"The file server of the loop device %s has not answered for %d s; see "
			"whether it is running, then try again.",
			QUOTED(argv[optind + 1]), REACHABLE_MS / 1000);
	if (!read)
		return complain(STATUS_FAILED,
			"Cannot examine the loop device %s (%s); attach the disk again.",
			QUOTED(argv[optind + 1]), strerror(errno));
	return look(pid, &wanted);
}

const struct command command_serves = {
	.name = "serves",
	.usage = "PID LOOP",
	.summary = "checks that a process has a claimed file open",
	.help = "\n"
		"Fails unless the process has the file open that the loop device holds, for\n"
		"writing if the device is writable: a program that was given a name may have\n"
		"opened another file.\n",
	.run = run_serves,
};
