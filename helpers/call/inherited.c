/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a process has of whoever started it: environment, signals, limits, directory. */
#include "inherited.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define SYSTEM_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

/* xen.git, tools/libs/light/libxl_linux.c: get_hotplug_env(); and this project's own. */
static const char *const kept[] = {"PATH", "XENSTORED_PATH", "XEN_HOTPLUG_LOG", "XENBUS_PATH",
	"XENBUS_TYPE", "XENBUS_BASE_PATH", "script", "vif", "netdev", "INTERFACE"};

#define KEPT_COUNT (sizeof(kept) / sizeof(kept[0]))

static void reset_environment(void)
{
	char *values[KEPT_COUNT];

	for (size_t i = 0; i < KEPT_COUNT; i++) {
		const char *value = getenv(kept[i]);

		values[i] = value ? strdup(value) : NULL;
	}
	clearenv();
	for (size_t i = 0; i < KEPT_COUNT; i++) {
		if (values[i])
			setenv(kept[i], values[i], 1);
		free(values[i]);
	}
	setenv("LC_ALL", "C", 1);
	/* Else bash asks the database of users, which may be a server that hangs. */
	setenv("SHELL", "/bin/bash", 1);
}

/* A path of the caller's comes first, so that an administrator's own programs are found. */
static void reset_path(void)
{
	const char *path = getenv("PATH");
	char *longer = NULL;

	if (!path || !*path)
		setenv("PATH", SYSTEM_PATH, 1);
	else if (asprintf(&longer, "%s:%s", path, SYSTEM_PATH) > 0)
		setenv("PATH", longer, 1);
	free(longer);
}

static void reset_signals(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, action = {.sa_handler = SIG_DFL};
	struct itimerval no_timer = {.it_value = {0}};
	sigset_t none;

	setitimer(ITIMER_REAL, &no_timer, NULL);
	setitimer(ITIMER_VIRTUAL, &no_timer, NULL);
	setitimer(ITIMER_PROF, &no_timer, NULL);
	for (int i = 1; i < NSIG; i++) {
		/* One that is pending was for the caller, and is dropped with this. */
		sigaction(i, &ignore, NULL);
		sigaction(i, &action, NULL);
	}
	/* Where the limit of a file's size cannot be raised, the write fails, and is told. */
	sigaction(SIGXFSZ, &ignore, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* At least `least`; where that is not allowed, as much as is. */
static void raise_limit(int resource, rlim_t least)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) || limit.rlim_cur >= least)
		return;
	struct rlimit wanted = {
		.rlim_cur = least, .rlim_max = limit.rlim_max > least ? limit.rlim_max : least};
	if (!setrlimit(resource, &wanted))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
}

static void reset_limits(void)
{
	static const int unlimited[] = {
		RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_AS, RLIMIT_NPROC, RLIMIT_LOCKS};

	for (size_t i = 0; i < sizeof(unlimited) / sizeof(unlimited[0]); i++)
		raise_limit(unlimited[i], RLIM_INFINITY);
	raise_limit(RLIMIT_STACK, (rlim_t)8 << 20);
	raise_limit(RLIMIT_NOFILE, 1024);
	raise_limit(RLIMIT_SIGPENDING, 1024);
}

/* What the caller has left open is not handed on to what is started here. */
static void close_on_exec(void)
{
	/* Linux 5.11 knows this. */
	if (!syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC))
		return;
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void inherited_reset(void)
{
	reset_signals();
	reset_limits();
	reset_environment();
	reset_path();
	umask(077);
	close_on_exec();
}
