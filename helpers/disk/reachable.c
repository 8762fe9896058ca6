/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whether the file server of a path answers. */
#include "reachable.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fd.h"
#include "filesystem.h"
#include "guard.h"
#include "message.h"
#include "mounts.h"
#include "status.h"

/* Looks at the path as whoever asks will, in the process that can be ended. */
static void touch(void *context)
{
	int handle = open(context, O_PATH | O_CLOEXEC);
	struct stat st;

	if (handle >= 0 && !fstat(handle, &st) && S_ISREG(st.st_mode))
		fd_reopen(handle, O_RDONLY);
}

bool reachable(const char *path)
{
	struct mount_table mounts = {.text = NULL};
	bool answered = !mount_table_read(&mounts) || !filesystem_has_remote(&mounts) ||
			guard_run(touch, (void *)path, NULL, REACHABLE_MS) != GUARD_STUCK;

	mount_table_free(&mounts);
	return answered;
}

int reachable_complain(const char *image)
{
	return complain(STATUS_FAILED,
		"The image %s cannot be opened, because its file server has not answered for %d s; "
		"see whether it is running, then try again.",
		QUOTED(image), REACHABLE_MS / 1000);
}
