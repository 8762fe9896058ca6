/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs a command that cannot outlive the caller, the deadline, or a request to stop. */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What is kept of the command's standard error. */
#define SUPERVISED_ERRORS 4096

enum supervised_end {
	SUPERVISED_ENDED,	/* by itself, or by a signal that is not ours */
	SUPERVISED_NOT_STARTED, /* `error` tells why */
	SUPERVISED_LATE,	/* killed after the deadline */
	SUPERVISED_STOPPED,	/* killed since `signal` came, or the caller was gone */
	SUPERVISED_BROKEN,	/* the supervision itself failed with `error` */
};

struct supervised {
	enum supervised_end end;
	int status; /* for exit(): the command's own, 124, or 128 + signal */
	int signal;
	int error;	 /* errno */
	bool unkillable; /* something of it did not die in time */
	char errors[SUPERVISED_ERRORS];
	size_t error_length;
};

/*
 * From now on *group, which another process can read (guard_memory()), is the process group of the
 * command that runs; 0: none does.
 */
void supervise_announce(atomic_int *group);

/*
 * Runs argv[0], found through PATH, with the arguments argv (ended by NULL): in a process group of
 * its own, with default signal dispositions, standard input and output as they are, standard error
 * captured, the open `files` as descriptors 3, 4, …, all others closed. The numbers of `files` are
 * at least 3 + file_count. This process keeps its own descriptors until the command
 * is dead, so that what they lock stays locked so long.
 * The whole process group is killed and reaped when `deadline_ms` milliseconds have passed, when
 * this process' parent ends, or when SIGTERM, SIGINT, SIGHUP or SIGQUIT arrives; processes that
 * have left the group (daemons) are left alone.
 */
void supervise(char *argv[], const int *files, size_t file_count, unsigned deadline_ms,
	struct supervised *result);

/* Ends this process as the signal does that stopped what was supervised (result->signal). */
_Noreturn void supervise_end_by(int signal_number);

#endif
