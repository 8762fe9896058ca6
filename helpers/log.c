/* SPDX-License-Identifier: LGPL-2.1-only */
/* The system log. */
#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "deadline.h"
#include "message.h"

#define LOG_WAIT_MS 1000
#define LOG_LINE_LIMIT 4000

static const char *priority_name(int priority)
{
	static const char *const names[] = {
		"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};

	return names[LOG_PRI(priority)];
}

static void append_to_file(const char *path, int priority, const char *line)
{
	char text[LOG_LINE_LIMIT + 32];
	int fd = open(
		path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	int length = snprintf(text, sizeof(text), "%s: %s\n", priority_name(priority), line);
	/* A single write, because several processes append to this file. */
	ssize_t written = write(fd, text, (size_t)length);
	(void)written;
	close(fd);
}

void log_line(int priority, const char *line)
{
	const char *path = getenv("XEN_HOTPLUG_LOG");
	char text[LOG_LINE_LIMIT + 4];

	escape(text, LOG_LINE_LIMIT, line, strlen(line), ESCAPE_TEXT);
	deadline_interrupt(LOG_WAIT_MS);
	if (path && *path) {
		append_to_file(path, priority, text);
	} else {
		openlog("xen-hotplug", LOG_PID, LOG_DAEMON);
		syslog(priority, "%s", text);
	}
	deadline_clear();
}
