/* SPDX-License-Identifier: LGPL-2.1-only */
/* A request is served by a process of its own, which can be ended without ending the rest. */
#ifndef WORKER_H
#define WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What it prints goes into files in memory. A worker is used for one request after the other. */
struct worker {
	pid_t pid; /* 0: none runs */
	int pidfd;
	int output, errors;
	atomic_int *command; /* the process group of the command that it runs; 0: none */
};

#define WORKER_NONE ((struct worker){.pidfd = -1, .output = -1, .errors = -1})

/* How a worker has ended. */
struct worker_end {
	int status;	  /* an exit status */
	const char *text; /* what it printed; what it complained of where the status is not 0 */
	size_t length;	  /* in bytes, without the NUL behind it */
};

/*
 * Starts the subcommand argv[1], whose deadlines all come before `end_ms` (see now_ms()). It gets
 * SIGKILL when this process ends. Result: false with errno where it cannot be started.
 */
bool worker_start(struct worker *worker, int argc, char *argv[], long long end_ms);

/*
 * Collects one that has ended (its pidfd is readable); if it was killed, ends the command that it
 * ran. `*end` is to be freed.
 */
void worker_collect(struct worker *worker, struct worker_end *end);

/* Frees what `*end` holds. */
void worker_end_free(struct worker_end *end);

/*
 * Ends it: by SIGTERM, upon which it ends the command that it runs, and by SIGKILL after `ms`
 * milliseconds, together with that command. Result: false where they do not die of that, since the
 * kernel does not let them; they are no longer waited for then.
 */
bool worker_stop(struct worker *worker, int ms);

/* Closes its files. */
void worker_free(struct worker *worker);

#endif
