/* SPDX-License-Identifier: LGPL-2.1-only */
/* Becoming a daemon. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void daemon_close_inherited(void)
{
	/* It fails on kernels without it only, where nothing is lost but the courtesy. */
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
}

int daemon_fork(void)
{
	int null_fd;
	pid_t pid = fork();

	if (pid != 0)
		return (int)pid;
	setsid();
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return 0;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null_fd, fd);
	if (null_fd > STDERR_FILENO)
		close(null_fd);
	return 0;
}

bool daemon_write_pid(const char *file, int pid)
{
	FILE *stream = fopen(file, "we");
	bool written;

	if (!stream) {
		fprintf(stderr, "mock-xenstored: %s: %s\n", file, strerror(errno));
		return false;
	}
	written = fprintf(stream, "%d\n", pid) > 0;
	if (fclose(stream) == 0 && written)
		return true;
	fprintf(stderr, "mock-xenstored: %s: %s\n", file, strerror(errno));
	return false;
}
