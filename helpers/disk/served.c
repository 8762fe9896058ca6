/* SPDX-License-Identifier: LGPL-2.1-only */
/* Disks that programs (QEMU, tapdisk) serve to guests. */
#include "served.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "image.h"
#include "message.h"
#include "number.h"
#include "opaque.h"
#include "process.h"
#include "resolve.h"
#include "services.h"
#include "status.h"

/* The most backing files below each other that are looked at by their names: more than QEMU opens.
 */
#define MOST_DEPTH 4096

/* How often a process of an unknown kind must be seen with the disk open, and how far apart. */
#define LOOKS 5
#define LOOK_PAUSE_NS 20000000

/* Of a file, with itself. */
#define WHOLE ((struct overlap){true, true, true, true})

struct search {
	const struct disk *disk;
	const struct relatives *relatives;
	struct guest_list *list; /* the result */
	struct services services;
	struct identity_cache cache; /* with the mounts */
};

const char *served_params_path(const char *params)
{
	const char *colon = strchr(params, ':');

	if (params[0] == '/')
		return params;
	return colon && colon[1] == '/' ? colon + 1 : NULL;
}

/* Adds a use of the disk, or of a part of it. */
static int add_use(struct search *search, const struct device *device, enum guest_access access,
	dev_t number, const struct overlap *overlap)
{
	const struct guest_device found = {
		.device = *device, .number = number, .overlap = *overlap, .access = access};

	return overlap->any ? guest_list_add(search->list, &found) : STATUS_DONE;
}

static struct overlap overlap_of_device(const struct search *search, dev_t number)
{
	const struct relative *relative = relatives_get(search->relatives, number);

	return relative ? relative->overlap : (struct overlap){.any = false};
}

/* Whether a file that is another one by its number may be the disk, by its name. */
static bool may_be_disk(struct search *search, const struct named_file *file)
{
	const struct disk *disk = search->disk;
	const struct named_file own = {disk->stat.st_dev, disk->path, (uint64_t)disk->stat.st_size};

	return disk->file && opaque_files_alike(&search->cache.mounts, &own, file);
}

/* `path` is the file's, or was. */
static struct overlap overlap_of_file(struct search *search, dev_t dev, ino_t ino, const char *path)
{
	char real[PATH_MAX];
	struct file file = {dev, ino, real};

	snprintf(real, sizeof(real), "%s", path);
	if (!major(dev))
		filesystem_to_layer(&search->cache.mounts, real, sizeof(real), &file);
	return relatives_overlap_file(search->disk, search->relatives, &search->cache, &file);
}

/*
 * The guest's device that an open file belongs to: the one whose node names it, or the guest's only
 * one. Otherwise the device is not known.
 */
static struct device device_of_file(
	const struct search *search, const struct service *service, const struct open_file *file)
{
	struct device found = {.domid = service->domid};
	size_t count = 0;

	for (size_t i = 0; i < search->services.device_count; i++) {
		const struct served_device *served = &search->services.devices[i];
		const char *path = served_params_path(served->params);

		if (!service_equal(&served->service, service))
			continue;
		if (path && !strcmp(path, file->path))
			return served->device;
		if (!count++)
			found = served->device;
	}
	return count == 1 ? found : (struct device){.domid = service->domid};
}

/* A search for the disk among the files of processes. */
struct scan {
	struct search *search;
	const struct service *of; /* what the process serves, or may serve */
	size_t of_count;
	bool writers_only;
	int status;
};

/* Whether the process may serve any of several guests. */
static bool is_of_several(const struct scan *scan)
{
	for (size_t i = 1; i < scan->of_count; i++)
		if (scan->of[i].domid != scan->of[0].domid)
			return true;
	return false;
}

/* The file's name may be another one's by now. */
static bool is_alike(struct search *search, const struct open_file *file)
{
	char path[LOOP_FILE_SIZE];

	snprintf(path, sizeof(path), "%s", file->path);
	loop_file_undelete(path);
	return may_be_disk(search, &(struct named_file){file->dev, path, file->size});
}

static bool take_file(void *context, const struct open_file *file)
{
	struct scan *scan = context;
	struct overlap overlap =
		file->block ? overlap_of_device(scan->search, file->dev)
			    : overlap_of_file(scan->search, file->dev, file->ino, file->path);
	/* A writer that is unknown may be the file server, which has the file for us. */
	bool alike =
		!overlap.any && !file->block && !scan->writers_only && is_alike(scan->search, file);

	if (alike)
		overlap = WHOLE;
	if (!overlap.any || (scan->writers_only && !file->writes))
		return true;
	for (size_t i = 0; i < scan->of_count && !scan->status; i++) {
		const struct guest_device found = {
			.device = device_of_file(scan->search, &scan->of[i], file),
			.number = file->block ? file->dev : 0,
			.overlap = overlap,
			.access = file->writes ? GUEST_WRITES : GUEST_READS,
			.guessed = is_of_several(scan),
			.alike = alike,
		};

		scan->status = guest_list_add(scan->search->list, &found);
	}
	return !scan->status;
}

/* Looks at what a server has open. Result: an exit status; *known if it is a server. */
static int look_at_server(struct search *search, const struct server *server, bool *known)
{
	struct scan scan = {.search = search, .of = &server->service, .of_count = 1};
	int process = process_open((pid_t)server->pid);

	*known = process >= 0 && process_serves(process) &&
		 process_each_file(process, &search->cache.mounts, take_file, &scan);
	if (process >= 0)
		close(process);
	return scan.status;
}

static int look_at_servers(struct search *search)
{
	int status = STATUS_DONE;

	for (size_t i = 0; i < search->services.server_count && !status; i++) {
		bool known;

		status = look_at_server(search, &search->services.servers[i], &known);
		if (known)
			services_found(&search->services, &search->services.servers[i].service);
	}
	return status;
}

/* A path on the way down a chain of backing files. */
struct link {
	const struct served_device *served;
	enum guest_access access; /* of all but the first: GUEST_READS */
	char path[PATH_MAX];
	bool qcow2; /* it may have a backing file */
};

/* Adds a file that may be the disk, by its name. */
static int add_alike(struct search *search, const struct link *link)
{
	const struct guest_device found = {.device = link->served->device,
		.overlap = WHOLE,
		.access = link->access,
		.alike = true};

	return guest_list_add(search->list, &found);
}

/*
 * Compares the file at the path, without symbolic links, with the disk. A path that leads to a file
 * system that is not local is compared as text, because its server may not answer.
 */
static int look_at_file(
	struct search *search, const struct link *link, const char *real, bool local)
{
	struct overlap overlap = WHOLE;
	struct stat st;

	if (!local) {
		const struct mount *mount = mount_of_path(&search->cache.mounts, real);
		struct named_file file = {mount ? mount->device : 0, real, 0};

		overlap.any = !strcmp(real, search->disk->path);
		if (!overlap.any && may_be_disk(search, &file))
			return add_alike(search, link);
		return add_use(search, &link->served->device, link->access, 0, &overlap);
	}
	if (lstat(real, &st) || !(S_ISBLK(st.st_mode) || S_ISREG(st.st_mode)))
		return STATUS_DONE;
	bool block = S_ISBLK(st.st_mode);
	overlap = block ? overlap_of_device(search, st.st_rdev)
			: overlap_of_file(search, st.st_dev, st.st_ino, real);
	struct named_file file = {st.st_dev, real, (uint64_t)st.st_size};
	if (!overlap.any && !block && may_be_disk(search, &file))
		return add_alike(search, link);
	return add_use(
		search, &link->served->device, link->access, block ? st.st_rdev : 0, &overlap);
}

/*
 * Opens a local image for reading, if it is a file or a block device: a header may name any device,
 * and opening one can act, as with a watchdog. Result: a descriptor or -1.
 */
static int open_image(const char *real)
{
	int handle = open(real, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -1;
	struct stat st;

	if (handle < 0)
		return -1;
	if (!fstat(handle, &st) && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		fd = fd_reopen(handle, O_RDONLY | O_NONBLOCK);
	close(handle);
	return fd;
}

/* Goes on to the backing file of a local image. Result: whether it has one. */
static bool go_down(struct link *link, const char *real)
{
	struct image_header header;
	size_t length;
	int fd = link->qcow2 ? open_image(real) : -1;
	unsigned char *bytes = fd >= 0 ? image_read(fd, &length) : NULL;
	char above[PATH_MAX];

	if (fd >= 0)
		close(fd);
	if (!bytes)
		return false;
	bool done = !image_parse("qcow2", bytes, length, &header) && header.backing[0];
	free(bytes);
	memcpy(above, link->path, sizeof(above));
	link->access = GUEST_READS;
	link->qcow2 = strcmp(header.backing_format, "raw") != 0;
	return done && image_backing_path(above, header.backing, link->path) &&
	       strcmp(above, link->path) != 0;
}

/*
 * Whether a chain of backing files has come back to an image. Of all that it meets it remembers
 * one, the last whose depth is a power of two.
 */
static bool is_loop(char known[PATH_MAX], const char *real, unsigned depth)
{
	if (depth && !strcmp(known, real))
		return true;
	if (!(depth & (depth - 1)))
		snprintf(known, PATH_MAX, "%s", real);
	return false;
}

/* Looks at the path in `params`, and at the backing files that headers name now. */
static int look_at_path(struct search *search, const struct served_device *served)
{
	const char *path = served_params_path(served->params);
	struct link link = {.served = served,
		.access = GUEST_BY_MODE,
		.qcow2 = !strncmp(served->params, "qcow2:", 6)};
	char real[PATH_MAX], known[PATH_MAX];

	if (!path || strlen(path) >= sizeof(link.path))
		return STATUS_DONE;
	snprintf(link.path, sizeof(link.path), "%s", path);
	for (unsigned depth = 0; depth < MOST_DEPTH; depth++) {
		bool local = path_resolve(&search->cache.mounts, link.path, real);
		int status = look_at_file(search, &link, real, local);

		if (status || !local || is_loop(known, real, depth) || !go_down(&link, real))
			return status;
	}
	return STATUS_DONE;
}

/* Whether a process serves what is not wanted any more. */
static bool is_known_server(const struct search *search, unsigned pid)
{
	for (size_t i = 0; i < search->services.server_count; i++)
		if (search->services.servers[i].pid == pid &&
			!services_want(&search->services, &search->services.servers[i].service))
			return true;
	return false;
}

/*
 * Looks at a process that may be any; ours open disks, too. A server has the disk open all the
 * time: it is looked at again, because losetup and others open a loop device for a moment, also one
 * that was free a moment before.
 */
static void look_at_process(struct scan *scan, unsigned pid)
{
	const struct timespec pause = {.tv_nsec = LOOK_PAUSE_NS};
	int process = is_known_server(scan->search, pid) ? -1 : process_open((pid_t)pid);
	struct guest_list *list = scan->search->list;
	size_t before = list->count;

	for (unsigned look = 1; process >= 0 && look <= LOOKS; look++) {
		list->count = before;
		if (process_runs_other(process))
			process_each_file(process, &scan->search->cache.mounts, take_file, scan);
		if (scan->status || list->count == before)
			break;
		if (look < LOOKS)
			nanosleep(&pause, NULL);
	}
	if (process >= 0)
		close(process);
}

/* Looks for the wanted servers among all processes. A writer could be any of them. */
static int look_at_processes(struct search *search)
{
	struct scan scan = {.search = search,
		.of = search->services.wanted,
		.of_count = search->services.wanted_count,
		.writers_only = true};
	DIR *processes = search->services.wanted_count ? opendir("/proc") : NULL;
	unsigned pid;

	if (!processes)
		return STATUS_DONE;
	for (struct dirent *entry; !scan.status && (entry = readdir(processes));)
		if (parse_unsigned(entry->d_name, INT32_MAX, &pid))
			look_at_process(&scan, pid);
	closedir(processes);
	return scan.status;
}

/* Looks for the disk where the server is not known: at paths, and at all processes. */
static int look_elsewhere(struct search *search)
{
	int status = STATUS_DONE;

	for (size_t i = 0; i < search->services.device_count && !status; i++) {
		const struct served_device *served = &search->services.devices[i];

		if (services_want(&search->services, &served->service))
			status = look_at_path(search, served);
	}
	return status ? status : look_at_processes(search);
}

static int look(struct search *search)
{
	if (!mount_table_read(&search->cache.mounts))
		return complain(STATUS_FAILED,
			"Cannot read '/proc/self/mountinfo', so the disks that QEMU serves are "
			"unknown; mount procfs on /proc.");
	int status = look_at_servers(search);
	services_forget_idle(&search->services);
	return status ? status : look_elsewhere(search);
}

int served_find(struct store *store, const char *base, const struct disk *disk,
	const struct relatives *relatives, struct guest_list *list)
{
	struct search search = {.disk = disk, .relatives = relatives, .list = list};
	int status = services_read(store, base, &search.services);

	if (!status && search.services.wanted_count)
		status = look(&search);
	services_free(&search.services);
	identity_cache_free(&search.cache);
	return status;
}
