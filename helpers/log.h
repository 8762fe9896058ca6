/* SPDX-License-Identifier: LGPL-2.1-only */
/* The system log. */
#ifndef LOG_H
#define LOG_H

/*
 * Sends one line to the system log at `priority` (LOG_INFO, …), as xen-hotplug in LOG_DAEMON; or,
 * where the environment's XEN_HOTPLUG_LOG names a file, appends "info: LINE" to that file. Control
 * characters are escaped. Never fails, and never blocks for more than a second: a log that does
 * not work must not keep a guest from its disk. Clears any deadline.
 */
void log_line(int priority, const char *line);

#endif
