/* SPDX-License-Identifier: LGPL-2.1-only */
/* The last failure in the log. */
#ifndef FAILURE_H
#define FAILURE_H

#include <stdbool.h>
#include <stddef.h>

#include "devices/logread.h"

/* What `xen-hotplug fail` has logged of a call. */
struct failure {
	long long time; /* in seconds since 1970; 0: not known */
	char *sentence; /* NULL: there is none */
	char *what;	/* "block: add of vbd/1/51712 failed."; NULL while that has not come */
	char *guest;	/* its name, or NULL */
	char **lines;	/* what was run, and how it ended */
	size_t count, room;
};

/* All zero but `wanted`: nothing is read yet. */
struct failure_search {
	const char *wanted;	/* of a device or guest, as for name_matches(); NULL: any */
	struct failure current; /* whose lines may still come */
	struct failure found;	/* the last one that is wanted */
	bool failed;		/* memory ran out */
};

/* Takes the next line of the log: `context` is the search. */
void failure_take(void *context, const struct log_entry *entry);

/* To be called after the last line. Result: the failure that was found, or NULL. */
const struct failure *failure_found(struct failure_search *search);

/* Frees what it holds. */
void failure_search_free(struct failure_search *search);

#endif
