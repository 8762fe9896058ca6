/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs a function in a process that can be ended: a dead file server blocks all but SIGKILL. */
#ifndef GUARD_H
#define GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* How a guarded function has ended. */
enum guard_end {
	GUARD_DONE,   /* it returned */
	GUARD_STUCK,  /* it made no progress for too long, and was ended */
	GUARD_FAILED, /* it could not be started, or died */
};

/* Memory that a guarded function shares with its caller, zeroed. Result: NULL with errno. */
void *guard_memory(size_t size);

/* Frees it. */
void guard_memory_free(void *memory, size_t size);

/*
 * Runs work(context) in a child process, and waits until it returns, or until *progress (NULL: it
 * shows none) stays the same for `ms` milliseconds; then kills it. The function changes nothing of
 * its caller's but what is in guard_memory(), and has none of its descriptors. A child that does
 * not die of SIGKILL is left behind.
 */
enum guard_end guard_run(
	void (*work)(void *context), void *context, atomic_size_t *progress, unsigned ms);

#endif
