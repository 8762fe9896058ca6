/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reads what log_line() has written. */
#ifndef LOGREAD_H
#define LOGREAD_H

#include <stdio.h>

/* A line of the log. */
struct log_entry {
	int priority;	/* LOG_ERR, … */
	long long time; /* in seconds since 1970; 0: the log does not say */
	const char *line;
};

/* Takes a line. */
typedef void log_take(void *context, const struct log_entry *entry);

/*
 * Calls `take` for each line, the oldest first: of the file that XEN_HOTPLUG_LOG names, or of the
 * last lines that journalctl(1) has of xen-hotplug. Result: STATUS_DONE, or STATUS_FAILED with a
 * complaint.
 */
int logread_each(log_take *take, void *context);

/* Parses the lines of such a file: "err: LINE". */
void logread_file(FILE *from, log_take *take, void *context);

/* Parses what journalctl --output=export prints (systemd: docs/JOURNAL_EXPORT_FORMATS). */
void logread_export(FILE *from, log_take *take, void *context);

#endif
