/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug: what hotplug scripts hold, for people, and what scripts need. The subcommands. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "message.h"
#include "output.h"
#include "status.h"
#include "version.h"

/* For people: the first page of the help has them, in this order. */
static const struct command *const for_people[] = {
	&command_list,
	&command_show,
	&command_check,
	&command_why,
	&command_gc,
	&command_repair,
};

/* For the scripts: libxl's calls, and what hotplug/common asks. */
static const struct command *const for_scripts[] = {
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
	&command_stale,
	&command_await,
	&command_watch,
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void print_table(const struct command *const table[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("  %-9s %s\n", table[i]->name, table[i]->summary);
}

static void print_first_page(void)
{
	printf("Usage: xen-hotplug SUBCOMMAND [OPTION...] [ARGUMENT...]\n\n"
	       "Shows and mends what Xen's hotplug scripts hold on this host.\n\n");
	print_table(for_people, COUNT(for_people));
	printf("\n"
	       "  help SUBCOMMAND  tells more about it\n"
	       "  help --all       also lists the subcommands that only scripts call\n"
	       "  --version        prints the version\n"
	       "\n"
	       "Exit status:\n"
	       "  0  done, and all is well\n"
	       "  1  failed, or something is not well\n"
	       "  2  the arguments are wrong\n"
	       "\n"
	       "Environment:\n"
	       "  XENSTORED_PATH   the socket of xenstored\n"
	       "  XEN_HOTPLUG_LOG  a file to append log lines to, instead of the system log\n");
}

static void print_second_page(void)
{
	printf("\nSubcommands for scripts:\n\n");
	print_table(for_scripts, COUNT(for_scripts));
	printf("\n"
	       "What these find is printed as fields, each ended by a NUL byte; nothing is\n"
	       "printed where they fail, but one sentence on standard error that says what\n"
	       "failed and what to do.\n"
	       "\n"
	       "Their exit status:\n"
	       "  0  done\n"
	       "  1  failed\n"
	       "  2  the arguments are wrong\n"
	       "  3  what it was to work on is not there (any more)\n"
	       "  4  refused, because somebody uses it\n"
	       "  5  the deadline passed\n"
	       "  6  the lock that it was to take first was not taken\n"
	       "'run' alone ends with its command's own status.\n");
}

static const struct command *find_in(
	const struct command *const table[], size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table[i]->name, name))
			return table[i];
	return NULL;
}

static const struct command *find_command(const char *name)
{
	const struct command *found = find_in(for_people, COUNT(for_people), name);

	return found ? found : find_in(for_scripts, COUNT(for_scripts), name);
}

static int complain_unknown(const char *name)
{
	return complain(
		STATUS_USAGE, "%s is not a subcommand; see 'xen-hotplug --help'.", QUOTED(name));
}

/* `subject` is a subcommand, --all, or NULL. */
static int print_help(const char *subject)
{
	bool all = subject && !strcmp(subject, "--all");
	const struct command *command = subject && !all ? find_command(subject) : NULL;

	if (subject && !all && !command)
		return complain_unknown(subject);
	if (command)
		command_help(command);
	else
		print_first_page();
	if (all)
		print_second_page();
	return output_end();
}

static int print_version(void)
{
	printf("xen-hotplug %s\n", version);
	return output_end();
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
		return print_help(argv[2]);
	if (!strcmp(argv[1], "--version"))
		return print_version();

	const struct command *command = find_command(argv[1]);
	if (!command)
		return complain_unknown(argv[1]);

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
