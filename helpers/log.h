/* SPDX-License-Identifier: LGPL-2.1-only */
/* The system log. */
#ifndef LOG_H
#define LOG_H

/* Before the name of the guest, in a line of a failure. */
#define LOG_GUEST "guest: "

/* The priority of that name, such as "err"; -1 if there is none. */
int log_priority(const char *name);

/*
 * Sends one line to the system log at `priority` (LOG_INFO, …), as xen-hotplug in LOG_DAEMON; to
 * systemd's journal with the fields XEN_HOTPLUG_VERSION and, where it is set, XENBUS_PATH. If
 * the environment variable XEN_HOTPLUG_LOG names a file, it appends "info: LINE" to that file
 * instead. Control characters are escaped. Never fails, and blocks for a second at most, because a
 * broken log must not keep a guest from its disk. Clears any deadline.
 */
void log_line(int priority, const char *line);

#endif
