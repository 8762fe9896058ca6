/* SPDX-License-Identifier: LGPL-2.1-only */
/* What procfs tells of an open descriptor. */
#include "fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void fd_link(int fd, char link[FD_LINK_SIZE])
{
	snprintf(link, FD_LINK_SIZE, "/proc/self/fd/%d", fd);
}

bool fd_path(int fd, char *path, size_t size)
{
	char link[FD_LINK_SIZE];

	fd_link(fd, link);
	ssize_t length = readlink(link, path, size - 1);
	path[length > 0 ? length : 0] = '\0';
	return length > 0;
}

int fd_reopen(int fd, int flags)
{
	char link[FD_LINK_SIZE];

	fd_link(fd, link);
	return open(link, flags | O_CLOEXEC | O_NOCTTY);
}
