/* SPDX-License-Identifier: LGPL-2.1-only */
/* The bash that runs a device script. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <sys/types.h>

#include "call/arguments.h"

/* The descriptor by which bash asks: hotplug/common/run.sh. */
#define SCRIPT_SOCKET 3
/*
 * The lock file, in this process, in its workers, and in bash, which does not use it: when this
 * process is killed, the kernel closes its descriptors before it kills bash, and the locks last
 * until the last of these processes is dead. hotplug/common/lib/lock.sh.
 */
#define SCRIPT_LOCK 4

struct script {
	pid_t pid; /* 0: none runs */
	int pidfd;
	int socket; /* our end */
	int errors; /* what bash writes to standard error */
};

#define SCRIPT_NONE ((struct script){.pidfd = -1, .socket = -1, .errors = -1})

/*
 * Starts bash on argv[0], with the arguments behind it; argv is ended by NULL. It finds in its
 * environment hotplug_parent, the number of this process, hotplug_seconds, how many seconds it has,
 * hotplug_undo, which is empty where it is to do what the arguments say, and what these and the
 * path are parsed to (hotplug/common/lifecycle.sh). It has SCRIPT_LOCK, which is open here. It gets
 * SIGKILL when this process ends. Result: false with errno.
 */
bool script_start(struct script *script, char *argv[], const struct arguments *arguments,
	int seconds, const char *undo);

/*
 * Ends it, by SIGKILL, unless it has ended. What it has told before can still be read. *status is
 * as of waitpid(2). Result: false where it does not die of that, since the kernel does not let it;
 * it is no longer waited for then.
 */
bool script_stop(struct script *script, int *status);

/* Closes the socket. */
void script_close(struct script *script);

#endif
