/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the host itself does with a block device. */
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "blockdev.h"
#include "message.h"
#include "mounts.h"

#define PROBES 10
#define PROBE_PAUSE_NS 20000000

static bool is_relative_path(const char *path, const struct relatives *relatives)
{
	struct stat st;

	return path[0] == '/' && !stat(path, &st) && S_ISBLK(st.st_mode) &&
	       relatives_have(relatives, st.st_rdev);
}

static bool is_mount_of(const struct mount *mount, const struct relatives *relatives)
{
	/* btrfs and the like show a number of their own, and the device as their source. */
	if (!major(mount->device))
		return !strncmp(mount->source, "/dev/", 5) &&
		       is_relative_path(mount->source, relatives);
	return relatives_have(relatives, mount->device);
}

/* The first mount, or the first writable one where there is any. */
static bool find_mount(const struct relatives *relatives, struct host_use *use)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!table)
		return false;
	while (!(found && use->writes) && getline(&line, &size, table) > 0) {
		struct mount mount;

		if (!mount_parse(line, &mount) || !is_mount_of(&mount, relatives))
			continue;
		if (found && mount.read_only)
			continue;
		found = true;
		use->writes = !mount.read_only;
		snprintf(use->state, sizeof(use->state), "is mounted on %s in this host",
			QUOTED(mount.where));
		snprintf(use->remedy, sizeof(use->remedy), "unmount it there first");
	}
	free(line);
	fclose(table);
	return found;
}

static bool find_swap(const struct relatives *relatives, struct host_use *use)
{
	FILE *table = fopen("/proc/swaps", "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!table)
		return false;
	while (!found && getline(&line, &size, table) > 0) {
		const char *path = swap_parse(line);

		found = path && is_relative_path(path, relatives);
		if (!found)
			continue;
		use->writes = true;
		snprintf(use->state, sizeof(use->state), "is swap space of this host");
		snprintf(use->remedy, sizeof(use->remedy), "run 'swapoff' on %s first",
			QUOTED(path));
	}
	free(line);
	fclose(table);
	return found;
}

static bool find_holder(const struct relatives *relatives, struct host_use *use)
{
	char holder[HOST_STATE_SIZE / 2];

	for (size_t i = 0; i < relatives->count; i++) {
		if (!blockdev_holder(relatives->numbers[i], holder, sizeof(holder)))
			continue;
		use->writes = true;
		snprintf(use->state, sizeof(use->state), "is part of the device %s in this host",
			holder);
		snprintf(use->remedy, sizeof(use->remedy),
			"take that down, or give the guest that device instead");
		return true;
	}
	return false;
}

/* What writes goes before what only reads. */
static bool find_reason(const struct relatives *relatives, struct host_use *use)
{
	if (find_holder(relatives, use) || find_swap(relatives, use))
		return true;
	return find_mount(relatives, use);
}

static bool is_busy(const struct disk *disk)
{
	int fd = disk_open_exclusively(disk);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EBUSY;
}

bool host_uses(const struct disk *disk, const struct relatives *relatives, struct host_use *use)
{
	const struct timespec pause = {.tv_nsec = PROBE_PAUSE_NS};

	if (disk->file)
		return false;
	for (int i = 0; i < PROBES; i++) {
		if (!is_busy(disk))
			return false;
		if (find_reason(relatives, use))
			return true;
		nanosleep(&pause, NULL);
	}
	use->writes = true;
	snprintf(use->state, sizeof(use->state),
		"is held exclusively by a program of this host, or mounted in another namespace");
	snprintf(use->remedy, sizeof(use->remedy), "find that with 'lsof %s' and end it first",
		QUOTED(disk->path));
	return true;
}
