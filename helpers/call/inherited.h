/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a process has of whoever started it: environment, signals, limits, directory. */
#ifndef INHERITED_H
#define INHERITED_H

/*
 * Makes all of that what the scripts expect, whatever the caller had: the environment holds only
 * the names that libxl's contract has, PATH (with the system's own directories at its end), the
 * store's socket and the log file; signals have their default action and none is blocked; no timer
 * runs; limits are those of the system; files that are made are root's alone; descriptors but 0, 1
 * and 2 are closed by exec(2).
 */
void inherited_reset(void);

#endif
