/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug run: one external command under supervision. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "command.h"
#include "deadline.h"
#include "disk/held.h"
#include "log.h"
#include "message.h"
#include "number.h"
#include "status.h"
#include "supervise.h"

#define RUN_DEADLINE_DEFAULT 10000
/* How much of the command's own first line of error goes into the sentence. */
#define REASON_LIMIT 500
#define LOG_DETAIL_LIMIT 3000

/* The command as one line of at most QUOTE_LIMIT bytes, between single quotes. */
static void quote_command(struct quote *q, char *argv[])
{
	char line[2 * QUOTE_LIMIT] = "";
	size_t used = 0;

	for (size_t i = 0; argv[i] && used < sizeof(line) - 1; i++) {
		int n = snprintf(line + used, sizeof(line) - used, "%s%s", i ? " " : "", argv[i]);

		used = n < 0 ? sizeof(line) : used + (size_t)n;
	}
	quote(q, line);
}

/* The first line of `text` that holds something, without a full stop at its end, escaped. */
static void first_line(char to[REASON_LIMIT + 4], const char *text, size_t length)
{
	size_t end;

	while (length && strchr(" \t\r\n", text[0]) && text[0]) {
		text++;
		length--;
	}
	for (end = 0; end < length && text[end] != '\n'; end++)
		;
	while (end && strchr(" \t\r.", text[end - 1]) && text[end - 1])
		end--;
	escape(to, REASON_LIMIT, text, end, ESCAPE_TEXT);
}

static int complain_not_started(char *argv[], int error)
{
	int status = error == ENOENT || error == ENOTDIR ? 127 : 126;

	if (status == 127 && !strchr(argv[0], '/'))
		return complain(status,
			"%s is not installed, or not in PATH; install it, then try again.",
			QUOTED(argv[0]));
	if (status == 127)
		return complain(
			status, "%s does not exist; install it, then try again.", QUOTED(argv[0]));
	return complain(status, "%s cannot be started (%s); see its permissions and format.",
		QUOTED(argv[0]), strerror(error));
}

static int complain_failed(const char *command, const struct supervised *result)
{
	char reason[REASON_LIMIT + 4];

	first_line(reason, result->errors, result->error_length);
	if (reason[0])
		return complain(result->status, "%s failed: %s.", command, reason);
	if (result->signal)
		return complain(result->status, "%s was killed by signal %d (%s).", command,
			result->signal, strsignal(result->signal));
	return complain(result->status, "%s failed with exit status %d and said nothing about why.",
		command, result->status);
}

static int complain_stopped(
	const char *command, const struct supervised *result, unsigned deadline_ms)
{
	const char *left = result->unkillable
				   ? "; it does not die, so look for a device or server that hangs"
				   : "";

	if (result->end == SUPERVISED_LATE)
		return complain(result->status, "%s did not end within %g s and was killed%s.",
			command, deadline_ms / 1000.0, left);
	return complain(result->status,
		"%s was killed, because the script that started it was ended (%s)%s.", command,
		strsignal(result->signal), left);
}

static void log_errors(const char *command, const struct supervised *result)
{
	char detail[LOG_DETAIL_LIMIT + 4], line[LOG_DETAIL_LIMIT + sizeof(struct quote) + 32];

	if (!result->error_length)
		return;
	escape(detail, LOG_DETAIL_LIMIT, result->errors, result->error_length, ESCAPE_TEXT);
	snprintf(line, sizeof(line), "%s said: %s", command, detail);
	log_line(LOG_DEBUG, line);
}

static int report(char *argv[], const struct supervised *result, unsigned deadline_ms)
{
	struct quote command;

	quote_command(&command, argv);
	switch (result->end) {
	case SUPERVISED_NOT_STARTED:
		return complain_not_started(argv, result->error);
	case SUPERVISED_BROKEN:
		return complain(STATUS_FAILED,
			"%s could not be supervised (%s); see whether the system is out of "
			"processes, descriptors or memory.",
			command.text, strerror(result->error));
	case SUPERVISED_LATE:
	case SUPERVISED_STOPPED:
		return complain_stopped(command.text, result, deadline_ms);
	case SUPERVISED_ENDED:
		break;
	}
	if (result->status)
		return complain_failed(command.text, result);
	log_errors(command.text, result);
	return STATUS_DONE;
}

/* Makes the text standard input. Result: false with errno. */
static bool give_input(const char *text)
{
	size_t length = strlen(text);
	int fd = memfd_create("xen-hotplug input", MFD_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, length) == (ssize_t)length &&
		    !lseek(fd, 0, SEEK_SET) && dup2(fd, STDIN_FILENO) == STDIN_FILENO;

	if (fd >= 0)
		close(fd);
	return done;
}

/* What is to be run, and how. */
struct run {
	char **argv;
	const char *input; /* or NULL */
	struct held held[HELD_MOST];
	size_t held_count;
	unsigned deadline_ms;
};

/* Opens the files of the command. Result: STATUS_DONE, or STATUS_FAILED with a complaint. */
static int open_files(const struct run *run, int files[HELD_MOST])
{
	for (size_t i = 0; i < run->held_count; i++)
		if ((files[i] = held_open(&run->held[i])) < 0)
			return STATUS_FAILED;
	return STATUS_DONE;
}

static int run_command(const struct run *run)
{
	int files[HELD_MOST];
	unsigned ms = deadline_within(run->deadline_ms);
	struct supervised result;

	if (run->input && !give_input(run->input))
		return complain(STATUS_FAILED,
			"Cannot buffer the input of %s (%s); free some memory.",
			QUOTED(run->argv[0]), strerror(errno));
	if (open_files(run, files))
		return STATUS_FAILED;
	supervise(run->argv, files, run->held_count, ms, &result);
	return report(run->argv, &result, ms);
}

static int run_run(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"deadline", required_argument, NULL, 'd'},
		{"input", required_argument, NULL, 'i'},
		{"held", required_argument, NULL, 'H'},
		OPTION_HELP,
	};
	struct run run = {.deadline_ms = RUN_DEADLINE_DEFAULT};

	for (int option; (option = next_option(command, argc, argv, options)) != -1;) {
		if (option == 'd')
			run.deadline_ms = option_seconds(command, "--deadline", optarg);
		else if (option == 'i')
			run.input = optarg;
		else if (run.held_count == HELD_MOST)
			return usage_error(
				command, "'run' takes at most %d options --held", HELD_MOST);
		else if (!held_parse(optarg, &run.held[run.held_count++]))
			return usage_error(command, "The option --held needs LOOP=PATH, not %s",
				QUOTED(optarg));
	}
	run.argv = argv + optind;
	if (optind >= argc || !argv[optind][0])
		return usage_error(command, "'run' needs a command");
	return run_command(&run);
}

const struct command command_run = {
	.name = "run",
	.usage = "[--deadline SECONDS] [--input TEXT] [--held LOOP=PATH]... [--] COMMAND "
		 "[ARGUMENT...]",
	.summary = "runs a command under supervision",
	.help = "\n"
		"The command inherits standard input and output and no other descriptor, so\n"
		"that no lock outlives the script. What it says on standard error becomes\n"
		"one sentence where it fails, and goes to the system log (debug) where it\n"
		"succeeds. It is killed, with all of its process group, when the deadline\n"
		"passes, when the caller ends, or on SIGTERM, SIGINT and SIGHUP.\n"
		"\n"
		"  --deadline SECONDS  kill it after so long (10)\n"
		"  --input TEXT        the command's standard input\n"
		"  --held LOOP=PATH    a file that the command inherits, as descriptor 3, the "
		"next\n"
		"                      one as 4, and so on: the one at PATH, which must be that "
		"of\n"
		"                      the loop device, open for writing if that is writable\n"
		"\n"
		"Exit status: the command's; 124 after the deadline, 126 where it cannot be\n"
		"started, 127 where it does not exist, 128 and the signal's number where a\n"
		"signal ended it.\n",
	.run = run_run,
};
