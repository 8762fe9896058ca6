/* SPDX-License-Identifier: LGPL-2.1-only */
/* The lock "block", under which Xen's scripts, and others', check a disk and publish it. */
#include "xenlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deadline.h"
#include "holder.h"
#include "message.h"
#include "status.h"

/* Whether the file open as `fd` still has the name. */
static bool has_name(int fd, const char *path)
{
	struct stat open_file, named;

	return !fstat(fd, &open_file) && !lstat(path, &named) && open_file.st_dev == named.st_dev &&
	       open_file.st_ino == named.st_ino;
}

static int complain_late(const char *path, const char *what, unsigned wait_ms, int fd)
{
	char holder[HOLDER_SIZE];

	if (!holder_find(fd, 0, holder))
		snprintf(holder, sizeof(holder), "another process");
	return complain(STATUS_LATE,
		"The lock %s of Xen's scripts, which %s needs, has been held by %s for %g s; wait "
		"for it or, if it hangs, end it, then try again.",
		path, what, holder, wait_ms / 1000.0);
}

int xenlock_take(const char *path, const char *what, unsigned wait_ms, int *fd)
{
	int status = STATUS_DONE;

	wait_ms = deadline_within(wait_ms);
	deadline_interrupt(wait_ms);
	for (bool taken = false; !taken && !status;) {
		*fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (*fd < 0) {
			status = complain(STATUS_FAILED,
				"Cannot open the lock %s of Xen's scripts (%s); see "
				"whether its file "
				"system is full or read-only.",
				path, strerror(errno));
			break;
		}
		bool locked = !flock(*fd, LOCK_SH);
		taken = locked && has_name(*fd, path);
		if (!locked && errno != EINTR)
			status = complain(STATUS_FAILED,
				"Cannot lock %s (%s); see whether its file system supports locks.",
				path, strerror(errno));
		else if (!taken && deadline_passed())
			status = complain_late(path, what, wait_ms, *fd);
		if (!taken)
			close(*fd);
	}
	deadline_clear();
	return status;
}

void xenlock_drop(const char *path, int fd)
{
	/* Only who has it alone may unlink it. */
	if (!flock(fd, LOCK_EX | LOCK_NB) && has_name(fd, path))
		unlink(path);
	close(fd);
}
