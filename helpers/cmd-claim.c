/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug claim: takes a disk for a guest's device, unless it is in use. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <time.h>

#include "call/keep.h"
#include "command.h"
#include "deadline.h"
#include "disk/backend.h"
#include "disk/device.h"
#include "disk/disk.h"
#include "disk/loop.h"
#include "disk/opaque.h"
#include "disk/relatives.h"
#include "disk/users.h"
#include "disk/vacant.h"
#include "disk/vm.h"
#include "lock.h"
#include "log.h"
#include "message.h"
#include "number.h"
#include "output.h"
#include "stale.h"
#include "status.h"
#include "store.h"
#include "textfile.h"
#include "xenlock.h"

#define MOST_DESCRIPTOR 1048576
/* How long to wait for a loop device that detaches on its last close. */
#define DETACHING_MS 5000
#define DETACHING_PAUSE_NS 20000000
#define MIB (1024UL * 1024)

enum sharing { SHARE_READ, SHARE_NOTHING, SHARE_ALL };

struct claim {
	struct device device;
	bool has_device;
	uint32_t token;
	enum sharing sharing;
	bool has_mode;
	const char *base;
	const char *target;
	int lock_fd;
	const char *xen_lock; /* NULL: none */
	bool plan;
	unsigned wait_ms, deadline_ms;
};

static void start_deadline(const struct claim *claim)
{
	deadline_exit(claim->deadline_ms,
		"Examining the disk %s and its users took longer than %g s; check that the disk, "
		"its server and xenstored respond.",
		QUOTED(claim->target), claim->deadline_ms / 1000.0);
}

/* The locks of a disk. Two disks that overlap have at least one in common. */
struct disk_locks {
	struct lock *locks;
	char (*names)[BASE_TEXT_SIZE + 40];
	size_t count;
};

static void add_lock(struct disk_locks *all, const struct lock *lock, const char *kind,
	const char *name, uint64_t id)
{
	char *text = all->names[all->count];

	snprintf(text, sizeof(all->names[0]), "disk %s %s %" PRIx64, kind, name, id);
	all->locks[all->count] = *lock;
	all->locks[all->count++].name = text;
}

/*
 * Readers, and views known not to overlap, take a lock shared. Below a view, its neighbours use the
 * same bytes, so those locks are shared, too; only the top view is this disk's alone and is locked
 * exclusively.
 */
static void add_extent_locks(
	struct disk_locks *all, const struct extent *extent, const struct lock *common)
{
	bool shared = common->shared || extent->read_only;
	struct lock lock = *common;
	char text[BASE_TEXT_SIZE];

	lock.range = true;
	lock.start = extent->start;
	lock.length = extent->length;
	lock.shared = shared || extent->view_count;
	add_lock(all, &lock, "bytes", base_text(&extent->base, text), 0);
	for (size_t i = 0; i < extent->view_count; i++) {
		const struct view *view = &extent->views[i];

		base_text(&(struct base){.dev = view->of}, text);
		lock.start = view->start;
		lock.length = view->length;
		lock.shared = shared || i;
		add_lock(all, &lock, "view", text, view->id);
		/* The position of a view in the whole device is unknown, so lock all of it. */
		lock.start = 0;
		lock.length = EXTENT_TO_END;
		lock.shared = true;
		if (view->id != VIEW_WHOLE)
			add_lock(all, &lock, "view", text, VIEW_WHOLE);
	}
}

/*
 * Where a file may have two names, which nothing tells to be one file's (opaque_files_alike()),
 * those who claim one under each name at the same time need a lock in common: that of the name's
 * end.
 */
static void add_name_lock(
	struct disk_locks *all, const struct disk *disk, const struct lock *common)
{
	struct mount_table mounts = {.text = NULL};

	/* Without the table the users are not found, either, and that is told. */
	if (mount_table_read(&mounts) && opaque_is_mounted(&mounts))
		add_lock(all, common, "name", strrchr(disk->path, '/') + 1,
			(uint64_t)disk->stat.st_size / SECTOR);
	mount_table_free(&mounts);
}

/* Locks the disk's bytes. Until the script closes the descriptor, no other claim gets them. */
static int lock_disk(const struct claim *claim, const struct disk *disk)
{
	const struct identity *identity = &disk->identity;
	size_t most = identity->extent_count * (1 + 2 * EXTENT_VIEWS) + 2;
	char title[2 * QUOTE_LIMIT];
	const struct lock common = {
		.fd = claim->lock_fd, .title = title, .shared = claim->sharing == SHARE_READ};
	struct disk_locks all = {.locks = calloc(most, sizeof(*all.locks)),
		.names = calloc(most, sizeof(*all.names))};
	int status = STATUS_FAILED;

	snprintf(title, sizeof(title), "Disk %s", QUOTED(claim->target));
	if (all.locks && all.names) {
		for (size_t i = 0; i < identity->extent_count; i++)
			add_extent_locks(&all, &identity->extents[i], &common);
		if (disk->file)
			add_name_lock(&all, disk, &common);
		else
			all.locks[all.count++] = (struct lock){.fd = claim->lock_fd,
				.name = VACANT_LOCK,
				.title = title,
				.shared = true};
		status = lock_take(all.locks, all.count, claim->wait_ms);
	} else {
		complain_memory();
	}
	free(all.locks);
	free(all.names);
	return status;
}

/*
 * Locks the disk, and then checks that the device still has the same bytes, because a loop or
 * device-mapper device can be re-attached during the wait.
 */
static int lock_and_recheck(const struct claim *claim, struct disk *disk)
{
	int status = lock_disk(claim, disk);
	struct identity_cache cache = {.partitions = NULL};
	struct identity now;

	start_deadline(claim);
	if (status || disk->file)
		return status;
	vacant_forget(claim->lock_fd);
	bool same = identity_of_device(disk->stat.st_rdev, &cache, &now) &&
		    identity_equal(&now, &disk->identity);
	identity_free(&now);
	identity_cache_free(&cache);
	if (same)
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"The device %s was re-attached while this claim waited for its lock; try again.",
		QUOTED(claim->target));
}

/* A mapping that these scripts have made is nobody else's. */
static bool is_own_mapping(const struct disk *disk)
{
	static const char prefix[] = "xen-hotplug-";
	char path[64], name[sizeof(prefix)];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dm/name", major(disk->stat.st_rdev),
		minor(disk->stat.st_rdev));
	return textfile_read(AT_FDCWD, path, name, sizeof(name)) >= 0 && !strcmp(name, prefix);
}

/*
 * Between a look at the users and the publication, scripts of others, which do not know the locks
 * above, could publish the same device. An image file they see by its loop device.
 */
static int lock_as_xen(const struct claim *claim, const struct disk *disk)
{
	char what[2 * QUOTE_LIMIT];
	int fd = -1;

	if (disk->file || is_own_mapping(disk))
		return STATUS_DONE;
	snprintf(what, sizeof(what), "disk %s", QUOTED(claim->target));
	int status = xenlock_take(claim->xen_lock, what, claim->wait_ms, &fd);
	if (!status)
		keep_send(fd);
	start_deadline(claim);
	return status;
}

/*
 * Compares the claim with another user. Result: STATUS_DONE if both may have the disk, STATUS_BUSY
 * if not, or STATUS_FAILED with a complaint if the store is needed and cannot be reached.
 */
static int judge(const struct claim *claim, const struct user *user, struct store *store)
{
	bool disturbs = claim->sharing != SHARE_READ && user->reads;

	if (!user->writes && !disturbs)
		return STATUS_DONE;
	if (!user->guest)
		return STATUS_BUSY;
	if (user->device.domid == claim->device.domid)
		return STATUS_DONE;
	int status = store_open(store);
	if (status)
		return status;
	return vm_same(store, claim->device.domid, user->device.domid) ? STATUS_DONE : STATUS_BUSY;
}

static void refuse(const struct claim *claim, const struct user *user, struct store *store)
{
	char state[USER_TEXT_SIZE], remedy[USER_TEXT_SIZE];

	user_describe(user, store, claim->base, state, remedy);
	/* Sharing with the host's own file system, swap or array is never safe. */
	if (!user->guest && !user->alike) {
		complain(STATUS_BUSY, "Disk %s %s; %s.", QUOTED(claim->target), state, remedy);
		return;
	}
	complain(STATUS_BUSY,
		"Disk %s %s; %s, or share it deliberately with script=block-shared (mode=w!).",
		QUOTED(claim->target), state, remedy);
}

/* Whether a user is a loop device of a guest's device that is gone. */
static bool is_stale(const struct claim *claim, const struct user *user, struct store *store)
{
	return user->loop[0] && store_open(store) == STATUS_DONE &&
	       backend_find(store, claim->base, &user->device) == BACKEND_GONE;
}

/* Releases such a user. Result: whether that is done; a failure is in the log. */
static bool release_stale(const struct claim *claim, const struct user *user,
	const struct relatives *relatives, struct store *store, unsigned ms)
{
	char sentence[STALE_SENTENCE_SIZE], stale[DEVICE_TEXT_SIZE], own[DEVICE_TEXT_SIZE];
	char line[sizeof(stale) + sizeof(own) + 80];

	snprintf(line, sizeof(line), "%s, which is stale, has the disk for %s: releasing it.",
		device_text(&user->device, stale), device_text(&claim->device, own));
	log_line(LOG_NOTICE, line);
	deadline_clear();
	enum stale end = stale_release(&user->device, ms, sentence);
	start_deadline(claim);
	for (size_t i = 0; i < relatives->loops.count && !end; i++)
		if (!strcmp(relatives->loops.loops[i].path, user->loop))
			end = stale_release_loop(
				&relatives->loops.loops[i], claim->base, store, sentence);
	return end == STALE_RELEASED;
}

/* How long it is tried that a user goes; see now_ms(). */
struct patience {
	long long wait_until;	 /* for a loop device that is about to go */
	long long release_until; /* for stale users */
};

/*
 * Result: STATUS_DONE if no user prevents the claim; else STATUS_BUSY, without a complaint if
 * *again is set, because that user is about to end, or was stale and is released; or STATUS_FAILED
 * with a complaint.
 */
static int check_users(const struct claim *claim, const struct disk *disk,
	const struct relatives *relatives, struct store *store, struct patience *patience,
	bool *again)
{
	const struct user_query query = {
		.disk = disk,
		.relatives = relatives,
		.base = claim->base,
		.self = &claim->device,
		.lock_fd = claim->plan ? -1 : claim->lock_fd,
	};
	struct user_list list;
	int status = users_find(&query, store, &list);

	*again = false;
	for (size_t i = 0; i < list.count && !status; i++) {
		const struct user *user = &list.users[i];
		long long left = patience->release_until - now_ms();

		status = judge(claim, user, store);
		if (status != STATUS_BUSY)
			continue;
		*again = user->detaching && now_ms() < patience->wait_until;
		if (!*again && is_stale(claim, user, store)) {
			/* An attach would release it. */
			if (claim->plan)
				status = STATUS_DONE;
			else
				*again = left > 0 && release_stale(claim, user, relatives, store,
							     (unsigned)left);
		}
		if (status && !*again)
			refuse(claim, user, store);
	}
	user_list_free(&list);
	return status;
}

/*
 * Finds the disk's relatives and checks their users. After a guest's shutdown, its loop device can
 * outlive its nodes for a moment, so check() waits for a device that is detaching.
 */
static int check(const struct claim *claim, const struct disk *disk, struct relatives *relatives)
{
	const struct timespec pause = {.tv_nsec = DETACHING_PAUSE_NS};
	struct patience patience = {now_ms() + DETACHING_MS, now_ms() + STALE_ATTACH_MS};
	struct store store = STORE_CLOSED;
	bool again;
	int status;

	for (;;) {
		status = relatives_find(disk, relatives);
		if (status || claim->sharing == SHARE_ALL)
			break;
		status = check_users(claim, disk, relatives, &store, &patience, &again);
		if (!again)
			break;
		relatives_free(relatives);
		nanosleep(&pause, NULL);
	}
	store_close(&store);
	return status;
}

/* The loop device that an earlier claim of the same attach has attached, or NULL. */
static const struct loop *find_own(
	const struct claim *claim, const struct disk *disk, const struct relatives *relatives)
{
	bool read_only = claim->sharing == SHARE_READ;

	for (size_t i = 0; i < relatives->loops.count; i++) {
		const struct loop *loop = &relatives->loops.loops[i];

		if (loop->tagged && device_equal(&loop->tag.device, &claim->device) &&
			loop->tag.token == claim->token && loop->tag.dev == disk->stat.st_dev &&
			loop->tag.ino == disk->stat.st_ino &&
			!(loop->info.lo_flags & LO_FLAGS_AUTOCLEAR) && !loop->info.lo_offset &&
			!loop->info.lo_sizelimit &&
			!(loop->info.lo_flags & LO_FLAGS_READ_ONLY) == !read_only)
			return loop;
	}
	return NULL;
}

/* Attaches the image file, unless it is attached already. */
static int attach(const struct claim *claim, const struct disk *disk,
	const struct relatives *relatives, char path[LOOP_PATH_SIZE], dev_t *number)
{
	const struct loop *own = find_own(claim, disk, relatives);
	struct tag tag = {claim->device, claim->token, disk->stat.st_dev, disk->stat.st_ino};
	char text[TAG_SIZE] = "";

	if (own) {
		memcpy(path, own->path, LOOP_PATH_SIZE);
		*number = own->number;
		return loop_resize(own);
	}
	if (!tag_format(text, &tag))
		return complain(STATUS_FAILED,
			"The inode and device numbers of %s do not fit into a loop device's tag; "
			"move the image to another file system.",
			QUOTED(claim->target));
	return loop_attach(disk->data, claim->sharing != SHARE_READ, text, path, number);
}

static int print_result(const char *device, const char *physical_device, const struct disk *disk)
{
	struct output out = {0};

	output_field(&out, "device=%s", device);
	output_field(&out, "physical-device=%s", physical_device);
	output_field(&out, "kind=%s", disk->file ? "file" : "device");
	output_field(&out, "target=%s", disk->path);
	int status = output_flush(&out);
	output_free(&out);
	return status;
}

/*
 * Logs a warning if the file system has less free space than a sparse image may need, because the
 * guest's writes can then fail. It is no error: thin images are often overcommitted.
 */
static void warn_if_overcommitted(const struct claim *claim, const struct disk *disk)
{
	uint64_t size = (uint64_t)disk->stat.st_size;
	uint64_t used = (uint64_t)disk->stat.st_blocks * SECTOR;
	struct statvfs room;
	char line[QUOTE_LIMIT + 256];

	if (claim->sharing == SHARE_READ || used >= size || fstatvfs(disk->data, &room))
		return;
	uint64_t left = (uint64_t)room.f_bfree * room.f_frsize;
	if (size - used <= left)
		return;
	snprintf(line, sizeof(line),
		"The image %s is sparse and may grow by %" PRIu64
		" MiB, but its file system has %" PRIu64
		" MiB left; make room there before the guest's writes fail.",
		QUOTED(claim->target), (size - used) / MIB, left / MIB);
	log_line(LOG_WARNING, line);
}

/* Logs a warning if the disk's file system does not tell where its bytes are. */
static void warn_if_opaque(const struct claim *claim, const struct relatives *relatives)
{
	char line[QUOTE_LIMIT + 256];

	if (!relatives->opaque[0])
		return;
	snprintf(line, sizeof(line),
		"The image %s is on a file system (%s) that does not tell what is below it; its "
		"users on other hosts and through other mounts are not seen.",
		QUOTED(claim->target), QUOTED(relatives->opaque));
	log_line(LOG_WARNING, line);
}

/* Attaches the disk, which is free, and prints the result. */
static int take(
	const struct claim *claim, const struct disk *disk, const struct relatives *relatives)
{
	char path[LOOP_PATH_SIZE], physical_device[32];
	dev_t number = disk->stat.st_rdev;
	int status = STATUS_DONE;

	if (disk->file && claim->plan)
		return print_result("/dev/loopN", "7:N", disk);
	if (disk->file)
		status = attach(claim, disk, relatives, path, &number);
	if (status)
		return status;
	snprintf(physical_device, sizeof(physical_device), "%x:%x", major(number), minor(number));
	status = print_result(disk->file ? path : disk->path, physical_device, disk);
	if (!status && disk->file) {
		warn_if_overcommitted(claim, disk);
		warn_if_opaque(claim, relatives);
	}
	return status;
}

static int claim_disk(const struct claim *claim)
{
	struct relatives relatives = {.all = NULL};
	struct disk disk = DISK_CLOSED;
	int status;

	start_deadline(claim);
	status = disk_open(claim->target, claim->sharing != SHARE_READ, &disk);
	if (!status && claim->lock_fd >= 0 && !claim->plan)
		status = lock_and_recheck(claim, &disk);
	if (!status && claim->xen_lock && !claim->plan)
		status = lock_as_xen(claim, &disk);
	if (!status)
		status = check(claim, &disk, &relatives);
	if (!status)
		status = take(claim, &disk, &relatives);
	relatives_free(&relatives);
	disk_close(&disk);
	return status;
}

static enum sharing option_mode(const struct command *command, const char *text)
{
	static const char *const modes[] = {
		[SHARE_READ] = "r", [SHARE_NOTHING] = "w", [SHARE_ALL] = "w!"};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(text, modes[i]))
			return (enum sharing)i;
	exit(usage_error(command, "'claim' needs --mode with r, w or w!, not %s", QUOTED(text)));
}

static int option_descriptor(const struct command *command, const char *text)
{
	unsigned fd;

	if (!parse_unsigned(text, MOST_DESCRIPTOR, &fd))
		exit(usage_error(command, "The option --lock needs a descriptor's number, not %s",
			QUOTED(text)));
	return (int)fd;
}

static void parse_option(
	const struct command *command, struct claim *claim, int option, const char *value)
{
	switch (option) {
	case 'D':
		option_device(command, value, &claim->device);
		claim->has_device = true;
		break;
	case 't':
		claim->token = option_token(command, value);
		break;
	case 'm':
		claim->sharing = option_mode(command, value);
		claim->has_mode = true;
		break;
	case 'l':
		claim->lock_fd = option_descriptor(command, value);
		break;
	case 'x':
		claim->xen_lock = value;
		break;
	case 'b':
		claim->base = value;
		break;
	case 'w':
		claim->wait_ms = option_seconds(command, "--wait", value);
		break;
	case 'd':
		claim->deadline_ms = option_seconds(command, "--deadline", value);
		break;
	default:
		claim->plan = true;
	}
}

static int run_claim(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"device", required_argument, NULL, 'D'},
		{"token", required_argument, NULL, 't'},
		{"mode", required_argument, NULL, 'm'},
		{"lock", required_argument, NULL, 'l'},
		{"xen-lock", required_argument, NULL, 'x'},
		{"base", required_argument, NULL, 'b'},
		{"wait", required_argument, NULL, 'w'},
		{"deadline", required_argument, NULL, 'd'},
		{"plan", no_argument, NULL, 'p'},
		OPTION_HELP,
	};
	struct claim claim = {
		.base = "backend/vbd",
		.lock_fd = -1,
		.wait_ms = LOCK_WAIT_DEFAULT,
		.deadline_ms = DEADLINE_DEFAULT,
	};

	for (int option; (option = next_option(command, argc, argv, options)) != -1;)
		parse_option(command, &claim, option, optarg);
	if (!claim.has_device || !claim.has_mode)
		return usage_error(command, "'claim' needs --device and --mode");
	if (argc - optind != 1 || argv[optind][0] != '/')
		return usage_error(command, "'claim' needs one absolute path");
	claim.target = argv[optind];
	return claim_disk(&claim);
}

const struct command command_claim = {
	.name = "claim",
	.usage = "--device TYPE/DOMID/DEVID --mode r|w|w! [OPTION...] TARGET",
	.summary = "takes a disk for a guest's device, unless it is in use",
	.help = "\n"
		"TARGET is the absolute path of an image file or of a block device. A file is\n"
		"attached to a loop device, with a tag that names the guest's device; a block\n"
		"device is used as it is. The claim is refused (exit status 4) if the host or\n"
		"another guest uses any of the same bytes under any name, unless both only\n"
		"read or both guests are one virtual machine. Prints the fields device=PATH,\n"
		"physical-device=MAJOR:MINOR (hexadecimal), kind=file|device, and\n"
		"target=PATH (without symbolic links). A repeated claim has no effect.\n"
		"\n"
		"  --device TYPE/DOMID/DEVID  the guest's device, such as vbd/3/51712\n"
		"  --token HEX                a number for the tag, unique to the attach\n"
		"  --mode MODE                r (read), w (write), w! (write, even if in use)\n"
		"  --lock FD                  lock the disk in the file that is open as FD\n"
		"  --xen-lock PATH            for a block device, take the lock of Xen's scripts,\n"
		"                             too; a call holds it until the device is published\n"
		"  --base PATH                the vbd backends in the store (backend/vbd)\n"
		"  --wait SECONDS             wait at most so long for the lock (15)\n"
		"  --deadline SECONDS         take at most so long for the rest (10)\n"
		"  --plan                     check and print, but do not lock or attach\n",
	.run = run_claim,
};
