/* SPDX-License-Identifier: LGPL-2.1-only */
/* Time limits: libxenstore, lock waits and the system log would otherwise block for ever. */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdbool.h>

/* Milliseconds that an invocation may take, lock waits not counted. */
#define DEADLINE_DEFAULT 10000

/* Monotonic milliseconds. */
long long now_ms(void);

/* From now on every deadline comes at `end` (see now_ms()) or before. */
void deadline_limit(long long end);

/* `ms` milliseconds, or less where the limit comes before; at least 1. */
unsigned deadline_within(unsigned ms);

/*
 * In `ms` milliseconds the program writes the sentence (printf-like, formed now) to stderr, unless
 * it has complained by then, and ends with STATUS_LATE. Replaces any earlier deadline.
 */
__attribute__((format(printf, 2, 3))) void deadline_exit(unsigned ms, const char *format, ...);

/* deadline_exit() with the sentence for a store that does not answer. */
void deadline_store(unsigned ms);

/*
 * From `ms` milliseconds on, a blocking system call fails with EINTR: again and again, since the
 * first signal may come just before the call. Replaces any earlier deadline.
 */
void deadline_interrupt(unsigned ms);

/* Whether the time of deadline_interrupt() has come. */
bool deadline_passed(void);

/* No deadline any more. */
void deadline_clear(void);

#endif
