/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files that a loop device holds for a guest, opened again for a program. */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>

/* "LOOP=PATH": a loop device, and the path of the file that it is attached to. */
struct held {
	const char *text; /* LOOP=PATH */
	const char *path; /* points into it */
};

/* The most files that one command can be given. */
#define HELD_MOST 32

/* Parses "LOOP=PATH", both absolute. Result: false if it is not of that form. */
bool held_parse(const char *text, struct held *held);

/*
 * Opens the file at that path, for writing if the loop device is writable, provided that it is the
 * one that the loop device holds: otherwise a name that was changed since the claim would lead to
 * another file. Result: a descriptor that is at least 64; or -1 with a complaint.
 */
int held_open(const struct held *held);

#endif
