/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug why: the last failure, with what was run until then. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "devices/failure.h"
#include "log.h"
#include "message.h"
#include "output.h"
#include "status.h"

/* Of what is printed of a line; the log keeps less (log.c). */
#define LINE_LIMIT ((size_t)4096)

static void print_text(const char *before, const char *text)
{
	char shown[LINE_LIMIT + 4];

	escape(shown, LINE_LIMIT, text, strlen(text), ESCAPE_TEXT);
	printf("%s%s\n", before, shown);
}

static void print_time(long long seconds)
{
	time_t time = (time_t)seconds;
	struct tm parts;
	char text[32];

	if (seconds && localtime_r(&time, &parts) &&
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts))
		print_text("At ", text);
}

static int print(const struct failure *failure)
{
	print_time(failure->time);
	print_text("", failure->what);
	if (failure->guest)
		print_text("The guest is ", failure->guest);
	print_text("\n", failure->sentence);
	if (failure->count)
		puts("\nWhat was run:");
	for (size_t i = 0; i < failure->count; i++)
		print_text("  ", failure->lines[i]);
	return output_end();
}

static int run_why(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {OPTION_HELP};
	struct failure_search search = {.wanted = NULL};

	next_option(command, argc, argv, options);
	if (argc - optind > 1)
		return usage_error(command, "'why' takes one device or guest");
	search.wanted = argv[optind];
	int status = logread_each(failure_take, &search);
	const struct failure *failure = failure_found(&search);
	if (!status && search.failed)
		status = complain_memory();
	else if (!status && failure)
		status = print(failure);
	else if (!status && search.wanted)
		status = complain(
			STATUS_ABSENT, "The log has no failure of %s.", QUOTED(search.wanted));
	else if (!status)
		status = complain(STATUS_ABSENT, "The log has no failure.");
	failure_search_free(&search);
	return status;
}

const struct command command_why = {
	.name = "why",
	.usage = "[DEVICE | GUEST]",
	.summary = "tells why an attach or detach failed last",
	.help = "\n"
		"Prints the last failure of the device, of the guest, or of any: the call, its\n"
		"sentence, and the commands that were run until then and for undoing, with the\n"
		"time that each took. It reads the system log (journalctl), or the file that\n"
		"XEN_HOTPLUG_LOG names. A guest need not exist any more. The exit status is 3 if\n"
		"the log has no such failure.\n"
		"\n"
		"A DEVICE is called as in 'xen-hotplug list': vbd/1/51712, web/xvda, vif1.0.\n",
	.run = run_why,
};
