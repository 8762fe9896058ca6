/* SPDX-License-Identifier: LGPL-2.1-only */
/* The bash that runs a device script. */
#include "script.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "journal.h"
#include "reap.h"
#include "status.h"

#define BASH "/bin/bash"
/* How long it may take to die of SIGKILL. */
#define DEATH_MS 500

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void tell_number(const char *name, long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", number);
	setenv(name, text, 1);
}

/* What the device is called in the store, by the kernel, and here. */
static void tell_device(const struct device *device, bool emulated)
{
	const char *suffix = emulated ? JOURNAL_EMULATED : "";
	char text[DEVICE_TEXT_SIZE], path[JOURNAL_PATH_SIZE];

	tell_number("domid", device->domid);
	tell_number("devid", device->devid);
	setenv("device_id", device_text(device, text), 1);
	journal_path(path, device, suffix);
	setenv("journal_file", path, 1);
	if (strcmp(device->type, "vif") != 0)
		return;
	snprintf(text, sizeof(text), "vif%u.%u%s", device->domid, device->devid, suffix);
	const char *given = getenv(emulated ? "INTERFACE" : "vif");
	setenv("vif", given && *given ? given : text, 1);
}

/* In the child: hotplug/common/lifecycle.sh reads these. */
static void tell(const struct arguments *arguments, pid_t parent, int seconds, const char *undo)
{
	tell_number("hotplug_parent", parent);
	tell_number("hotplug_seconds", seconds);
	setenv("hotplug_undo", undo, 1);
	setenv("verb", arguments->verb, 1);
	setenv("type_if", arguments->type_if, 1);
	setenv("action", *undo ? "undo" : arguments->action, 1);
	setenv("type", arguments->device.type, 1);
	if (arguments->device.type[0])
		tell_device(&arguments->device, !strcmp(arguments->type_if, "tap"));
}

/* In the child. `ends` are its ends of the socket and of the pipe. */
static _Noreturn void become(char *argv[], pid_t parent, const int ends[2])
{
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(STATUS_FAILED);
	/* A person's Control-C is for the parent, which decides what becomes of this. */
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(ends[1], STDERR_FILENO) < 0 || fcntl(SCRIPT_LOCK, F_SETFD, 0))
		_exit(STATUS_FAILED);
	/* A copy of itself would keep the mark by which exec(2) closes it. */
	if (ends[0] == SCRIPT_SOCKET ? fcntl(SCRIPT_SOCKET, F_SETFD, 0)
				     : dup2(ends[0], SCRIPT_SOCKET) < 0)
		_exit(STATUS_FAILED);
	execv(BASH, argv);
	_exit(STATUS_FAILED);
}

bool script_start(struct script *script, char *argv[], const struct arguments *arguments,
	int seconds, const char *undo)
{
	int sockets[2] = {-1, -1}, pipes[2] = {-1, -1};
	pid_t parent = getpid();
	size_t count = 0;
	char **words = NULL;
	bool done = false;

	while (argv[count])
		count++;
	words = calloc(count + 2, sizeof(*words));
	if (!words || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) ||
		pipe2(pipes, O_CLOEXEC))
		goto cleanup;
	/* By its path: bash looks for a name in all of PATH. */
	words[0] = BASH;
	memcpy(words + 1, argv, count * sizeof(*words));
	script->pid = fork();
	if (!script->pid) {
		tell(arguments, parent, seconds, undo);
		become(words, parent, (const int[2]){sockets[1], pipes[1]});
	}
	if (script->pid < 0)
		goto cleanup;
	script->pidfd = (int)syscall(SYS_pidfd_open, script->pid, 0);
	script->socket = sockets[0];
	script->errors = pipes[0];
	sockets[0] = pipes[0] = -1;
	done = script->pidfd >= 0;

cleanup:
	free(words);
	for (int i = 0; i < 2; i++) {
		close_one(&sockets[i]);
		close_one(&pipes[i]);
	}
	return done;
}

bool script_stop(struct script *script, int *status)
{
	bool dead = true;

	*status = 0;
	if (script->pid > 0) {
		*status = SIGKILL; /* as of one that was killed */
		dead = reap_within(script->pid, -1, 0, status);
		/* Together with what it has started itself. */
		if (!dead) {
			kill(-script->pid, SIGKILL);
			dead = reap_within(script->pid, script->pidfd, DEATH_MS, status);
		}
	}
	script->pid = 0;
	close_one(&script->pidfd);
	return dead;
}

void script_close(struct script *script)
{
	close_one(&script->socket);
}
