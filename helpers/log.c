/* SPDX-License-Identifier: LGPL-2.1-only */
/* The system log. */
#include "log.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "deadline.h"
#include "message.h"
#include "version.h"

#define LOG_WAIT_MS 1000
/* After so many of these, no more lines are logged: others wait for this process. */
#define LOG_HUNG_MOST 3
#define LOG_LINE_LIMIT 4000

static const char *const priority_names[] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};

int log_priority(const char *name)
{
	for (int i = 0; i <= LOG_DEBUG; i++)
		if (!strcmp(priority_names[i], name))
			return i;
	return -1;
}

static void append_to_file(const char *path, int priority, const char *line)
{
	char text[LOG_LINE_LIMIT + 32];
	int fd = open(
		path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	int length =
		snprintf(text, sizeof(text), "%s: %s\n", priority_names[LOG_PRI(priority)], line);
	/* A single write, because several processes append to this file. */
	ssize_t written = write(fd, text, (size_t)length);
	(void)written;
	close(fd);
}

/*
 * Sends it to systemd's journal (systemd: docs/JOURNAL_NATIVE_PROTOCOL): a field a line, none of
 * which has a newline in its value. Result: false where there is no such journal.
 */
static bool send_to_journal(int priority, const char *line)
{
	const struct sockaddr_un journal = {
		.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
	const char *path = getenv("XENBUS_PATH");
	char text[LOG_LINE_LIMIT + 1024], quoted[QUOTE_LIMIT + 4] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (path)
		escape(quoted, QUOTE_LIMIT, path, strlen(path), ESCAPE_TEXT);
	int length = snprintf(text, sizeof(text),
		"MESSAGE=%s\nPRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=xen-hotplug\n"
		"SYSLOG_PID=%d\nXEN_HOTPLUG_VERSION=%s\n%s%s%s",
		line, priority, LOG_DAEMON >> 3, (int)getpid(), version,
		*quoted ? "XENBUS_PATH=" : "", quoted, *quoted ? "\n" : "");
	bool sent = fd >= 0 && !connect(fd, (const struct sockaddr *)&journal, sizeof(journal)) &&
		    send(fd, text, (size_t)length, MSG_NOSIGNAL) == length;
	if (fd >= 0)
		close(fd);
	return sent;
}

void log_line(int priority, const char *line)
{
	const char *path = getenv("XEN_HOTPLUG_LOG");
	char text[LOG_LINE_LIMIT + 4];
	static unsigned hung; /* how many lines the log has not taken in time */

	if (hung == LOG_HUNG_MOST)
		return;
	escape(text, LOG_LINE_LIMIT, line, strlen(line), ESCAPE_TEXT);
	deadline_interrupt(LOG_WAIT_MS);
	if (path && *path) {
		append_to_file(path, priority, text);
	} else if (!send_to_journal(priority, text) && !deadline_passed()) {
		openlog("xen-hotplug", LOG_PID, LOG_DAEMON);
		syslog(priority, "%s", text);
	}
	hung += deadline_passed();
	deadline_clear();
}
