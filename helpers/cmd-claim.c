/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug claim: takes a disk for a guest's device, unless somebody else uses it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <time.h>

#include "command.h"
#include "deadline.h"
#include "disk/device.h"
#include "disk/disk.h"
#include "disk/loop.h"
#include "disk/relatives.h"
#include "disk/users.h"
#include "disk/vm.h"
#include "lock.h"
#include "log.h"
#include "message.h"
#include "number.h"
#include "output.h"
#include "status.h"
#include "store.h"

#define MOST_DESCRIPTOR 1048576
/* How long to wait for a loop device that goes when its last user closes it. */
#define LEAVING_MS 5000
#define LEAVING_PAUSE_NS 20000000
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
	bool plan;
	unsigned wait_ms, deadline_ms;
};

static void start_deadline(const struct claim *claim)
{
	deadline_exit(claim->deadline_ms,
		"Looking at the disk %s and its users took longer than %g s; see whether the "
		"disk, the server it lives on, and xenstored still answer.",
		QUOTED(claim->target), claim->deadline_ms / 1000.0);
}

/* The locks of a disk. Those of two disks that share bytes have one in common. */
struct disk_locks {
	struct lock *locks;
	char (*names)[BASE_TEXT_SIZE + 40];
	size_t count;
};

/* What two disks only read, or know to be apart in it, they lock together. */
static void add_lock(struct disk_locks *all, const struct lock *lock, const char *kind,
	const char *name, uint64_t id)
{
	char *text = all->names[all->count];

	snprintf(text, sizeof(all->names[0]), "disk %s %s %" PRIx64, kind, name, id);
	all->locks[all->count] = *lock;
	all->locks[all->count++].name = text;
}

/*
 * What is below views is locked together with the neighbours; the uppermost view, the one that the
 * disk is a part of and no neighbour, alone.
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
		/* Where in the whole it is, nobody knows. */
		lock.start = 0;
		lock.length = EXTENT_TO_END;
		lock.shared = true;
		if (view->id != VIEW_WHOLE)
			add_lock(all, &lock, "view", text, VIEW_WHOLE);
	}
}

/* Takes the locks of the disk's bytes: so long as they are held, nobody else claims any of them. */
static int lock_disk(const struct claim *claim, const struct identity *identity)
{
	size_t most = identity->extent_count * (1 + 2 * EXTENT_VIEWS);
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
		status = lock_take(all.locks, all.count, claim->wait_ms);
	} else {
		complain_memory();
	}
	free(all.locks);
	free(all.names);
	return status;
}

/*
 * Takes the disk's locks. A device may have been attached to something else while this waited, and
 * then they are the wrong ones.
 */
static int lock_and_recheck(const struct claim *claim, struct disk *disk)
{
	int status = lock_disk(claim, &disk->identity);
	struct identity now;

	start_deadline(claim);
	if (status || disk->file)
		return status;
	bool same = identity_of_device(disk->stat.st_rdev, NULL, &now) &&
		    identity_equal(&now, &disk->identity);
	identity_free(&now);
	if (same)
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"Disk %s was attached to something else while its lock was awaited; try again.",
		QUOTED(claim->target));
}

/*
 * STATUS_BUSY where the claim and that user cannot have the disk at once, else STATUS_DONE; or
 * STATUS_FAILED with a complaint where the store that has to tell cannot be asked.
 */
static int weigh(const struct claim *claim, const struct user *user, struct store *store)
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
	/* To share with the host's own file system, swap or array is never right. */
	if (!user->guest) {
		complain(STATUS_BUSY, "Disk %s %s; %s.", QUOTED(claim->target), state, remedy);
		return;
	}
	complain(STATUS_BUSY,
		"Disk %s %s; %s, or share it deliberately with script=block-shared (mode=w!).",
		QUOTED(claim->target), state, remedy);
}

/* STATUS_DONE where nobody is in the way; else *leaving tells whether that will change soon. */
static int check_users(const struct claim *claim, const struct disk *disk,
	const struct relatives *relatives, struct store *store, bool may_wait, bool *leaving)
{
	const struct user_query query = {
		.disk = disk,
		.relatives = relatives,
		.base = claim->base,
		.self = &claim->device,
	};
	struct user_list list;
	int status = users_find(&query, store, &list);

	*leaving = false;
	for (size_t i = 0; i < list.count && !status; i++) {
		status = weigh(claim, &list.users[i], store);
		if (status != STATUS_BUSY)
			continue;
		*leaving = may_wait && list.users[i].leaving;
		if (!*leaving)
			refuse(claim, &list.users[i], store);
	}
	user_list_free(&list);
	return status;
}

/*
 * Finds the disk's relatives and checks their users. A guest that has just been shut down may have
 * its loop device for a moment longer than its nodes: that is waited for.
 */
static int check(const struct claim *claim, const struct disk *disk, struct relatives *relatives)
{
	const struct timespec pause = {.tv_nsec = LEAVING_PAUSE_NS};
	struct store store = STORE_CLOSED;
	long long end = now_ms() + LEAVING_MS;
	bool leaving;
	int status;

	for (;;) {
		status = relatives_find(disk, relatives);
		if (status || claim->sharing == SHARE_ALL)
			break;
		status = check_users(claim, disk, relatives, &store, now_ms() < end, &leaving);
		if (!leaving)
			break;
		relatives_free(relatives);
		nanosleep(&pause, NULL);
	}
	store_close(&store);
	return status;
}

/* The loop device that an earlier claim of this device has left attached, or NULL. */
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

/* Attaches the image file, unless that is done already. */
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
			"The file system of %s numbers its files too high for a loop device's "
			"tag; move the image to another file system.",
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
 * Tells the log where the file system has less room than a sparse image has holes: the guest gets
 * errors when it writes there. That is how thin images are used, and no reason to refuse one.
 */
static void warn_of_holes(const struct claim *claim, const struct disk *disk)
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

/* The disk may be taken: takes it, and prints what it is. */
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
	if (!status && disk->file)
		warn_of_holes(claim, disk);
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
	.summary = "takes a disk for a guest's device, unless somebody uses it",
	.help = "\n"
		"TARGET is the absolute path of an image file, which gets a loop device\n"
		"with a tag that says whose it is, or of a block device, which stays as it\n"
		"is. Somebody else who uses any of the same bytes, by whatever name, is in\n"
		"the way (exit status 4): the host, or a guest, unless both only read or\n"
		"both are one virtual machine. Prints the fields device=PATH,\n"
		"physical-device=MAJOR:MINOR (hexadecimal), kind=file|device, and\n"
		"target=PATH (without links). Doing it twice is the same as once.\n"
		"\n"
		"  --device TYPE/DOMID/DEVID  for whom, such as vbd/3/51712\n"
		"  --token HEX                a number for the tag that no other attach has\n"
		"  --mode MODE                r (read), w (write), w! (write all the same)\n"
		"  --lock FD                  hold the disk's lock, in the file open as FD\n"
		"  --base PATH                where other devices are in the store (backend/vbd)\n"
		"  --wait SECONDS             wait so long for the lock (15)\n"
		"  --deadline SECONDS         take so long for all the rest (10)\n"
		"  --plan                     check and print, but neither lock nor attach\n",
	.run = run_claim,
};
