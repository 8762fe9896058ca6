/* SPDX-License-Identifier: LGPL-2.1-only */
/* Waits for processes to die: never for ever, because the kernel may not let one die. */
#include "reap.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "deadline.h"

/* Between two looks at what nothing announces. */
#define PAUSE_NS 5000000

static void pause_briefly(void)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	nanosleep(&pause, NULL);
}

bool reap_within(pid_t child, int pidfd, int ms, int *status)
{
	struct pollfd event = {.fd = pidfd, .events = POLLIN};
	long long end = now_ms() + ms;

	if (pidfd >= 0)
		poll(&event, 1, ms);
	/* One that a debugger keeps is announced, and cannot be reaped before that lets it go. */
	for (;;) {
		pid_t reaped = waitpid(child, status, WNOHANG);

		if (reaped > 0 || (reaped < 0 && errno != EINTR))
			return true;
		if (now_ms() >= end)
			return false;
		pause_briefly();
	}
}

bool reap_group(pid_t group, int ms)
{
	long long end = now_ms() + ms;

	kill(-group, SIGKILL);
	for (;;) {
		pid_t reaped = waitpid(-group, NULL, WNOHANG);

		if (reaped < 0 && errno != EINTR)
			return true;
		if (reaped)
			continue;
		if (now_ms() >= end)
			return false;
		pause_briefly();
	}
}
