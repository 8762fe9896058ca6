/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reads what log_line() has written. */
#include "devices/logread.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"
#include "message.h"
#include "number.h"
#include "status.h"

/* The last lines of the system log that are looked at: those of some thousand attaches. */
#define JOURNAL_LINES "20000"
#define MICROSECONDS 1000000
/* The exit status of a child that could not start the command. */
#define NOT_STARTED 127

void logread_file(FILE *from, log_take *take, void *context)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, from) > 0) {
		line[strcspn(line, "\n")] = '\0';
		char *colon = strstr(line, ": ");
		if (!colon)
			continue;
		*colon = '\0';
		struct log_entry entry = {.priority = log_priority(line), .line = colon + 2};
		if (entry.priority >= 0)
			take(context, &entry);
	}
	free(line);
}

/* Skips a field that is not text: the number of its bytes, little-endian, and these. */
static bool skip_binary(FILE *from)
{
	uint64_t length = 0;

	for (int shift = 0; shift < 64; shift += 8) {
		int byte = fgetc(from);

		if (byte == EOF)
			return false;
		length |= (uint64_t)byte << shift;
	}
	while (length--)
		if (fgetc(from) == EOF)
			return false;
	return fgetc(from) == '\n';
}

/* An entry while its fields arrive. */
struct pending {
	struct log_entry entry;
	char *message; /* NULL: it has none yet */
};

static void take_field(struct pending *pending, const char *name, const char *value)
{
	unsigned long long number;

	if (!strcmp(name, "MESSAGE")) {
		free(pending->message);
		pending->message = strdup(value);
	} else if (!strcmp(name, "PRIORITY") && parse_number(value, LOG_DEBUG, &number, NULL)) {
		pending->entry.priority = (int)number;
	} else if (!strcmp(name, "__REALTIME_TIMESTAMP") &&
		   parse_number(value, INT64_MAX, &number, NULL)) {
		pending->entry.time = (long long)(number / MICROSECONDS);
	}
}

static void finish(struct pending *pending, log_take *take, void *context)
{
	pending->entry.line = pending->message;
	if (pending->message)
		take(context, &pending->entry);
	free(pending->message);
	*pending = (struct pending){.message = NULL};
}

void logread_export(FILE *from, log_take *take, void *context)
{
	struct pending pending = {.message = NULL};
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, from) > 0) {
		line[strcspn(line, "\n")] = '\0';
		char *equals = strchr(line, '=');
		if (!*line) {
			finish(&pending, take, context);
		} else if (equals) {
			*equals = '\0';
			take_field(&pending, line, equals + 1);
		} else if (!skip_binary(from)) {
			break;
		}
	}
	finish(&pending, take, context);
	free(line);
}

/* Starts journalctl. Result: what it prints, or NULL with errno. */
static FILE *start_journalctl(pid_t *pid)
{
	int ends[2];

	if (pipe(ends))
		return NULL;
	*pid = fork();
	if (!*pid) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execlp("journalctl", "journalctl", "--quiet", "--no-pager",
			"--identifier=xen-hotplug", "--output=export", "--lines=" JOURNAL_LINES,
			"_UID=0", /* what others write under that name is not ours */
			(char *)NULL);
		_exit(NOT_STARTED);
	}
	close(ends[1]);
	FILE *from = *pid < 0 ? NULL : fdopen(ends[0], "r");
	if (!from)
		close(ends[0]);
	return from;
}

static int read_journal(log_take *take, void *context)
{
	pid_t pid = -1;
	int status = 0;
	FILE *from = start_journalctl(&pid);

	if (from) {
		logread_export(from, take, context);
		fclose(from);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (from && !status)
		return STATUS_DONE;
	if (from && WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED)
		return complain(STATUS_FAILED, "There is no journalctl; look into the system log "
					       "for lines of xen-hotplug.");
	return complain(STATUS_FAILED,
		"journalctl cannot read the system log; run this as root, or join the group "
		"systemd-journal.");
}

int logread_each(log_take *take, void *context)
{
	const char *path = getenv("XEN_HOTPLUG_LOG");

	if (!path || !*path)
		return read_journal(take, context);
	FILE *from = fopen(path, "re");
	if (!from)
		return complain(STATUS_FAILED,
			"Cannot read the log %s (%s); correct XEN_HOTPLUG_LOG, or run this as "
			"root.",
			QUOTED(path), strerror(errno));
	logread_file(from, take, context);
	fclose(from);
	return STATUS_DONE;
}
