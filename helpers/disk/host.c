/* SPDX-License-Identifier: LGPL-2.1-only */
/* The host's own uses of a disk. */
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
#include "filesystem.h"
#include "message.h"
#include "mounts.h"
#include "namespaces.h"
#include "textfile.h"

#define PROBES 10
#define PROBE_PAUSE_NS 20000000

/*
 * The relative with that number, or NULL. A device beneath the file system that a file lies on is
 * left out, because the host is known to use it.
 */
static const struct relative *direct_relative(const struct relatives *relatives, dev_t number)
{
	const struct relative *relative = relatives_get(relatives, number);

	return relative && relative->overlap.direct ? relative : NULL;
}

/* The first direct relative among some devices. */
struct finding {
	const struct relatives *relatives;
	const struct relative *found; /* or NULL */
};

static bool is_no_relative(dev_t device, void *context)
{
	struct finding *finding = context;

	finding->found = direct_relative(finding->relatives, device);
	return !finding->found;
}

static const struct relative *mounted(const struct mount *mount, const struct relatives *relatives)
{
	struct finding finding = {.relatives = relatives};

	filesystem_each_device_of(mount, is_no_relative, &finding);
	return finding.found;
}

static bool use_of_mount(const struct host_query *query, char *line, struct host_use *use)
{
	struct mount mount;
	const struct relative *relative =
		mount_parse(line, &mount) ? mounted(&mount, query->relatives) : NULL;

	if (!relative)
		return false;
	use->writes = !mount.read_only && relative->overlap.second_writes;
	use->reads = relative->overlap.first_writes;
	snprintf(use->state, sizeof(use->state), "is mounted on %s in this host",
		QUOTED(mount.where));
	snprintf(use->remedy, sizeof(use->remedy), "unmount it there first");
	return true;
}

/* Examines a swap space, unless it is on a remote file system other than the disk's. */
static bool stat_swap(const struct host_query *query, struct mount_table *mounts, const char *path,
	struct stat *st)
{
	return mount_table_read(mounts) &&
	       !filesystem_is_remote_path(mounts, path, mount_of_path(mounts, query->disk->path)) &&
	       !stat(path, st);
}

/* How the swap space at that path overlaps with the disk. */
static struct overlap overlap_of_swap(
	const struct host_query *query, struct identity_cache *cache, const char *path)
{
	const struct relative *relative;
	struct stat st;

	if (!stat_swap(query, &cache->mounts, path, &st))
		return (struct overlap){.any = false};
	if (!S_ISBLK(st.st_mode))
		return relatives_overlap_file(query->disk, query->relatives, cache,
			&(struct file){st.st_dev, st.st_ino, path});
	relative = direct_relative(query->relatives, st.st_rdev);
	return relative ? relative->overlap : (struct overlap){.any = false};
}

/* Whether the swap space at that path is the disk, or on the disk, and not below it. */
static bool is_swap(const struct host_query *query, const char *path, struct overlap *overlap)
{
	struct identity_cache cache = {.partitions = NULL};

	*overlap = overlap_of_swap(query, &cache, path);
	identity_cache_free(&cache);
	return overlap->any && overlap->direct;
}

static bool use_of_swap(const struct host_query *query, char *line, struct host_use *use)
{
	const char *path = swap_parse(line);
	struct overlap overlap;

	if (!path || !is_swap(query, path, &overlap))
		return false;
	use->writes = overlap.second_writes;
	use->reads = overlap.first_writes;
	snprintf(use->state, sizeof(use->state), "is swap space of this host");
	snprintf(use->remedy, sizeof(use->remedy), "run 'swapoff' on %s first", QUOTED(path));
	return true;
}

/* A device that is built on the disk counts even if it is not open. */
static bool use_of_holder(
	const struct host_query *query, const struct relative *relative, struct host_use *use)
{
	char name[HOST_STATE_SIZE / 2];

	if (!relative->holder || !relative->overlap.direct ||
		query->given(query->context, relative->number))
		return false;
	use->writes = relative->overlap.second_writes && !blockdev_read_only(relative->number);
	use->reads = relative->overlap.first_writes;
	blockdev_describe(relative->number, name, sizeof(name));
	snprintf(use->state, sizeof(use->state), "is part of the device %s in this host", name);
	snprintf(use->remedy, sizeof(use->remedy),
		"take that down, or give the guest that device instead");
	return true;
}

/* Whether the device is the loop device, or one of its partitions. */
static bool is_part_of(dev_t device, dev_t loop)
{
	uint64_t start, length;
	dev_t whole;

	return device == loop ||
	       (blockdev_partition(device, &whole, &start, &length) && whole == loop);
}

static bool never_writes(const struct mount *mount)
{
	static const char *const types[] = {"cramfs", "erofs", "iso9660", "romfs", "squashfs"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(mount->type, types[i]))
			return mount->read_only;
	return false;
}

enum host_mounts host_mounts_of(dev_t loop)
{
	struct mount_table mounts = {.text = NULL};
	enum host_mounts found = HOST_UNMOUNTED;

	if (mount_table_read(&mounts))
		for (size_t i = 0; i < mounts.count && found != HOST_MOUNTED; i++)
			if (is_part_of(mounts.mounts[i].device, loop))
				found = never_writes(&mounts.mounts[i]) ? HOST_READS : HOST_MOUNTED;
	mount_table_free(&mounts);
	return found;
}

/* The use to report of one kind: the first one that writes, else the first. */
struct choice {
	struct host_use *use;
	bool found;
};

static void consider(struct choice *choice, const struct host_use *use)
{
	if (choice->found && (choice->use->writes || !use->writes))
		return;
	*choice->use = *use;
	choice->found = true;
}

/* Fills in *use from a line of a table. Result: whether it is a use of the disk. */
typedef bool use_of_line(const struct host_query *query, char *line, struct host_use *use);

static void find_in_table(const struct host_query *query, const char *path, use_of_line *use_of,
	struct host_uses *found)
{
	struct choice choice = {.use = &found->uses[found->count]};
	char *table = textfile_whole(path);

	for (char *line, *rest = table; (line = strsep(&rest, "\n"));) {
		struct host_use use;

		if (use_of(query, line, &use))
			consider(&choice, &use);
	}
	free(table);
	found->count += choice.found;
}

static void find_holders(const struct host_query *query, struct host_uses *found)
{
	struct choice choice = {.use = &found->uses[found->count]};

	for (size_t i = 0; i < query->relatives->count; i++) {
		struct host_use use;

		if (use_of_holder(query, &query->relatives->all[i], &use))
			consider(&choice, &use);
	}
	found->count += choice.found;
}

/* `held`: the disk or a relative may be mounted, swap, or below another device. */
static void find_reasons(const struct host_query *query, bool held, struct host_uses *found)
{
	if (held)
		find_in_table(query, "/proc/self/mountinfo", use_of_mount, found);
	/* A file can be swap, and nothing holds it, or a loop device over it. */
	if (held || identity_has_file(&query->disk->identity))
		find_in_table(query, "/proc/swaps", use_of_swap, found);
	if (held)
		find_holders(query, found);
}

static bool is_busy(const struct disk *disk)
{
	int fd = disk->file ? -1 : disk_open_exclusively(disk);

	if (fd >= 0)
		close(fd);
	return !disk->file && fd < 0 && errno == EBUSY;
}

/* Counts the holders of a disk that are in `relatives`. */
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
 * Whether the disk is busy only because of holders that are in `relatives`, which have been judged
 * already. The kernel allows no other exclusive holder at the same time.
 */
static bool is_held_by_known(const struct host_query *query)
{
	struct known_holders known = {.relatives = query->relatives};

	return blockdev_each_holder(query->disk->stat.st_rdev, take_holder, &known) && known.count;
}

static bool is_mount_of(const struct mount *mount, const void *context)
{
	return mounted(mount, context);
}

/* Adds the use of a device that is held for a reason outside this mount namespace. */
static void add_unknown(const struct host_query *query, struct host_uses *found)
{
	const struct disk *disk = query->disk;
	struct host_use *use = &found->uses[found->count++];
	struct foreign_mount mount;

	use->writes = use->reads = true;
	if (foreign_mount_find(is_mount_of, query->relatives, &mount)) {
		snprintf(use->state, sizeof(use->state),
			"is mounted on %s in the mount namespace of process %d (%s)",
			QUOTED(mount.where), (int)mount.process, QUOTED(mount.command));
		snprintf(use->remedy, sizeof(use->remedy),
			"unmount it there first ('nsenter -m -t %d')", (int)mount.process);
		return;
	}
	snprintf(use->state, sizeof(use->state), "is held exclusively by a program of this host");
	snprintf(use->remedy, sizeof(use->remedy), "find it with 'lsof %s' and end it first",
		QUOTED(disk->path));
}

/* Whether a relative is no layer of the disk, and so can be in use while the disk is not busy. */
static bool has_others(const struct host_query *query)
{
	for (size_t i = 0; i < query->relatives->count; i++) {
		const struct relative *relative = &query->relatives->all[i];

		if (relative->overlap.direct &&
			!identity_has_layer(&query->disk->identity, relative->number))
			return true;
	}
	return false;
}

void host_find(const struct host_query *query, struct host_uses *found)
{
	const struct timespec pause = {.tv_nsec = PROBE_PAUSE_NS};
	bool others = has_others(query);

	found->count = 0;
	for (int i = 0; i < PROBES; i++) {
		bool busy = is_busy(query->disk);

		find_reasons(query, busy || others, found);
		if (found->count || !busy || is_held_by_known(query))
			return;
		nanosleep(&pause, NULL);
	}
	add_unknown(query, found);
}
