/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug: what the hotplug scripts need and a shell does badly. The table of subcommands. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "message.h"
#include "status.h"

static const struct command *const commands[] = {
	&command_call,
	&command_accept,
	&command_type,
	&command_describe,
	&command_load,
	&command_lock,
	&command_unlock,
	&command_publish,
	&command_fail,
	&command_journal,
	&command_forget,
	&command_run,
	&command_claim,
	&command_release,
	&command_identify,
	&command_image,
	&command_serves,
	&command_gc,
	&command_stale,
	&command_repair,
	&command_watch,
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
	printf("Usage: xen-hotplug SUBCOMMAND [OPTION...] [ARGUMENT...]\n\n"
	       "Does for Xen's hotplug scripts what a shell does badly.\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n'xen-hotplug SUBCOMMAND --help' tells more about each.\n"
	       "\n"
	       "What it finds is printed as fields, each ended by a NUL byte; nothing is printed\n"
	       "where it fails, but one sentence on standard error that says what failed and what\n"
	       "to do.\n"
	       "\n"
	       "Exit status:\n"
	       "  0  done\n"
	       "  1  failed\n"
	       "  2  the arguments are wrong\n"
	       "  3  what it was to work on is not there (any more)\n"
	       "  4  refused, because somebody uses it\n"
	       "  5  the deadline passed\n"
	       "  6  the lock that it was to take first was not taken\n"
	       "'run' alone ends with its command's own status.\n"
	       "\n"
	       "Environment:\n"
	       "  XENSTORED_PATH   the socket of xenstored\n"
	       "  XEN_HOTPLUG_LOG  a file to append log lines to, instead of the system log\n");
	return fflush(stdout) ? STATUS_FAILED : STATUS_DONE;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* A file or socket opened as descriptor 2 would get every complaint written into it. */
static bool open_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return false;
	return true;
}

int command_dispatch(int argc, char *argv[])
{
	if (argc < 2)
		return complain(STATUS_USAGE, "A subcommand is missing; see 'xen-hotplug --help'.");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return print_help();

	const struct command *command = find_command(argv[1]);
	if (!command)
		return complain(STATUS_USAGE, "%s is not a subcommand; see 'xen-hotplug --help'.",
			QUOTED(argv[1]));

	return command->run(command, argc - 1, argv + 1);
}

int main(int argc, char *argv[])
{
	if (!open_standard_descriptors())
		return STATUS_FAILED;
	/* A reader that is gone is an error to report, not a reason to die without a word. */
	signal(SIGPIPE, SIG_IGN);
	return command_dispatch(argc, argv);
}
