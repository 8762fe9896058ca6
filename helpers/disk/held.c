/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files that a loop device holds for a guest, opened again for a program. */
#include "held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "looplist.h"
#include "message.h"
#include "reachable.h"
#include "status.h"

/* A command gets its files as descriptors from 3 on; a higher one is not overwritten by these. */
#define LOWEST_DESCRIPTOR 64

bool held_parse(const char *text, struct held *held)
{
	const char *equals = strchr(text, '=');

	if (text[0] != '/' || !equals || equals[1] != '/')
		return false;
	*held = (struct held){text, equals + 1};
	return true;
}

/* Reads the status of the loop device. Result: false with errno. */
static bool read_status(const struct held *held, struct loop_info64 *info)
{
	char loop[LOOP_PATH_SIZE];
	int length = snprintf(
		loop, sizeof(loop), "%.*s", (int)(held->path - 1 - held->text), held->text);

	errno = ENAMETOOLONG;
	if (length < 0 || length >= (int)sizeof(loop))
		return false;
	errno = loop_ask_within(loop, REACHABLE_MS, info);
	return !errno;
}

/* Opens the file of an O_PATH descriptor, as the loop device has it. Result: as held_open(). */
static int reopen(int handle, const struct loop_info64 *info)
{
	int fd = fd_reopen(handle, info->lo_flags & LO_FLAGS_READ_ONLY ? O_RDONLY : O_RDWR);
	int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR);
	if (fd >= 0)
		close(fd);
	return high;
}

static bool is_held(int handle, const struct loop_info64 *info)
{
	struct stat st;

	return !fstat(handle, &st) && S_ISREG(st.st_mode) && st.st_dev == info->lo_device &&
	       st.st_ino == info->lo_inode;
}

static int complain_open(const char *path)
{
	if (errno == ETIMEDOUT)
		reachable_complain(path);
	else
		complain(STATUS_FAILED,
			"Cannot open the image %s again (%s); look at its path with 'namei -l'.",
			QUOTED(path), strerror(errno));
	return -1;
}

int held_open(const struct held *held)
{
	struct loop_info64 info;

	if (!reachable(held->path)) {
		reachable_complain(held->path);
		return -1;
	}
	if (!read_status(held, &info))
		return complain_open(held->path);
	int handle = open(held->path, O_PATH | O_CLOEXEC);
	if (handle < 0)
		return complain_open(held->path);
	int fd = -1;
	if (!is_held(handle, &info))
		complain(STATUS_FAILED,
			"The image %s was replaced by another file while it was being attached; "
			"try again.",
			QUOTED(held->path));
	else if ((fd = reopen(handle, &info)) < 0)
		complain_open(held->path);
	close(handle);
	return fd;
}
