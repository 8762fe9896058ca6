/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the host itself does with a disk. */
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

static const struct relative *relative_at(const char *path, const struct relatives *relatives)
{
	struct stat st;

	if (path[0] != '/' || stat(path, &st) || !S_ISBLK(st.st_mode))
		return NULL;
	return relatives_get(relatives, st.st_rdev);
}

/* Whether a use that writes or not is the one to be told of its kind, instead of *use. */
static bool better(const struct host_use *use, bool found, bool writes)
{
	return !found || (writes && !use->writes);
}

static const struct relative *mounted(const struct mount *mount, const struct relatives *relatives)
{
	/* btrfs and the like show a number of their own, and the device as their source. */
	if (!major(mount->device))
		return strncmp(mount->source, "/dev/", 5) != 0
			       ? NULL
			       : relative_at(mount->source, relatives);
	return relatives_get(relatives, mount->device);
}

static bool find_mount(const struct host_query *query, struct host_use *use)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!table)
		return false;
	while (getline(&line, &size, table) > 0) {
		struct mount mount;
		const struct relative *relative =
			mount_parse(line, &mount) ? mounted(&mount, query->relatives) : NULL;
		bool writes = relative && !mount.read_only && relative->overlap.second_writes;

		if (!relative || !better(use, found, writes))
			continue;
		found = true;
		use->writes = writes;
		use->reads = relative->overlap.first_writes;
		snprintf(use->state, sizeof(use->state), "is mounted on %s in this host",
			QUOTED(mount.where));
		snprintf(use->remedy, sizeof(use->remedy), "unmount it there first");
	}
	free(line);
	fclose(table);
	return found;
}

/* Whether the swap space at that path is the disk, or on it. */
static bool is_swap(const struct host_query *query, const char *path, struct overlap *overlap)
{
	const struct relative *relative = relative_at(path, query->relatives);
	const struct stat *disk = &query->disk->stat;
	struct stat st;

	*overlap = relative ? relative->overlap : (struct overlap){true, true, true};
	return relative || (query->disk->file && !stat(path, &st) && st.st_dev == disk->st_dev &&
				   st.st_ino == disk->st_ino);
}

static bool find_swap(const struct host_query *query, struct host_use *use)
{
	FILE *table = fopen("/proc/swaps", "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!table)
		return false;
	while (getline(&line, &size, table) > 0) {
		const char *path = swap_parse(line);
		struct overlap overlap;

		if (!path || !is_swap(query, path, &overlap) ||
			!better(use, found, overlap.second_writes))
			continue;
		found = true;
		use->writes = overlap.second_writes;
		use->reads = overlap.first_writes;
		snprintf(use->state, sizeof(use->state), "is swap space of this host");
		snprintf(use->remedy, sizeof(use->remedy), "run 'swapoff' on %s first",
			QUOTED(path));
	}
	free(line);
	fclose(table);
	return found;
}

/* A device that is built on it, even if nobody uses that at the moment. */
static bool find_holder(const struct host_query *query, struct host_use *use)
{
	char holder[HOST_STATE_SIZE / 2];
	bool found = false;

	for (size_t i = 0; i < query->relatives->count; i++) {
		const struct relative *relative = &query->relatives->all[i];

		if (!relative->holder || query->given(query->context, relative->number))
			continue;
		bool writes =
			relative->overlap.second_writes && !blockdev_read_only(relative->number);
		if (!better(use, found, writes))
			continue;
		found = true;
		use->writes = writes;
		use->reads = relative->overlap.first_writes;
		blockdev_describe(relative->number, holder, sizeof(holder));
		snprintf(use->state, sizeof(use->state), "is part of the device %s in this host",
			holder);
		snprintf(use->remedy, sizeof(use->remedy),
			"take that down, or give the guest that device instead");
	}
	return found;
}

typedef bool find_kind(const struct host_query *query, struct host_use *use);

static void add_kind(const struct host_query *query, struct host_uses *found, find_kind *find)
{
	if (find(query, &found->uses[found->count]))
		found->count++;
}

/* `held`: some device that has its bytes may be mounted, swap, or below another one. */
static void find_reasons(const struct host_query *query, bool held, struct host_uses *found)
{
	if (held)
		add_kind(query, found, find_mount);
	/* A file may be swap by itself. */
	if (held || query->disk->file)
		add_kind(query, found, find_swap);
	if (held)
		add_kind(query, found, find_holder);
}

static bool is_busy(const struct disk *disk)
{
	int fd = disk->file ? -1 : disk_open_exclusively(disk);

	if (fd >= 0)
		close(fd);
	return !disk->file && fd < 0 && errno == EBUSY;
}

/* The holders of a disk, as far as `relatives` has them: one that came since was not judged. */
struct known_holders {
	const struct relatives *relatives;
	size_t count;
};

static bool take_holder(dev_t holder, void *context)
{
	struct known_holders *known = context;

	known->count++;
	return relatives_get(known->relatives, holder);
}

/*
 * Whether the devices that are built on it, all of them known, are why it is busy: the kernel holds
 * it for these, and for nobody else at the same time.
 */
static bool is_held_by_known(const struct host_query *query)
{
	struct known_holders known = {.relatives = query->relatives};

	return blockdev_each_holder(query->disk->stat.st_rdev, take_holder, &known) && known.count;
}

/* Held, and nothing tells why. */
static void add_unknown(const struct disk *disk, struct host_uses *found)
{
	struct host_use *use = &found->uses[found->count++];

	use->writes = use->reads = true;
	snprintf(use->state, sizeof(use->state),
		"is held exclusively by a program of this host, or mounted in another namespace");
	snprintf(use->remedy, sizeof(use->remedy), "find that with 'lsof %s' and end it first",
		QUOTED(disk->path));
}

void host_find(const struct host_query *query, struct host_uses *found)
{
	const struct timespec pause = {.tv_nsec = PROBE_PAUSE_NS};
	/* Not only through the disk and what it stands on: the kernel takes that for another use.
	 */
	bool others = query->relatives->count > query->disk->identity.layer_count;

	found->count = 0;
	for (int i = 0; i < PROBES; i++) {
		bool busy = is_busy(query->disk);

		find_reasons(query, busy || others, found);
		if (found->count || !busy || is_held_by_known(query))
			return;
		nanosleep(&pause, NULL);
	}
	add_unknown(query->disk, found);
}
