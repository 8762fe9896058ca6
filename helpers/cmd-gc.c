/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug gc: releases what is left of devices whose backend directory is gone. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "array.h"
#include "command.h"
#include "deadline.h"
#include "disk/looplist.h"
#include "journal.h"
#include "log.h"
#include "message.h"
#include "stale.h"
#include "status.h"
#include "store.h"

#define BASE "backend/vbd"

/* Devices of which something is left, stale or not. */
struct candidate {
	struct device device;
	bool old; /* its journal is of an earlier boot */
};

struct gc {
	struct store store;
	struct candidate *all; /* of which there is a journal */
	size_t count, room;
	struct loop_list loops;
	struct device *only; /* the devices that are meant; NULL: all */
	size_t only_count;
	size_t stale; /* how many were */
	bool dry_run;
	bool left; /* something is */
};

static bool is_meant(const struct gc *gc, const struct device *device)
{
	for (size_t i = 0; i < gc->only_count; i++)
		if (device_equal(&gc->only[i], device))
			return true;
	return !gc->only_count;
}

static int add_candidate(struct gc *gc, const struct device *device, bool old)
{
	for (size_t i = 0; i < gc->count; i++) {
		if (!device_equal(&gc->all[i].device, device))
			continue;
		gc->all[i].old |= old;
		return STATUS_DONE;
	}
	struct candidate *all = array_room(gc->all, gc->count, &gc->room, sizeof(*all));
	if (!all)
		return complain_memory();
	gc->all = all;
	all[gc->count++] = (struct candidate){.device = *device, .old = old};
	return STATUS_DONE;
}

static int add_journal(struct gc *gc, const char *name)
{
	bool emulated = strstr(name, JOURNAL_EMULATED) != NULL;
	struct journal_head head;
	struct device device;

	if (!journal_name_parse(name, &device) || !is_meant(gc, &device))
		return STATUS_DONE;
	bool read = journal_head_read(&device, emulated ? JOURNAL_EMULATED : "", &head);
	return add_candidate(gc, &device, read && !journal_is_current(&head));
}

static int find_journals(struct gc *gc)
{
	DIR *directory = opendir(JOURNAL_DIRECTORY);
	int status = STATUS_DONE;

	if (!directory && errno == ENOENT)
		return STATUS_DONE;
	if (!directory)
		return complain(STATUS_FAILED,
			"Cannot read " JOURNAL_DIRECTORY " (%s); run this as root.",
			strerror(errno));
	for (struct dirent *entry; !status && (entry = readdir(directory));)
		status = add_journal(gc, entry->d_name);
	closedir(directory);
	return status;
}

/* Asks those on remote file systems whose they are. One that does not answer is nobody's here. */
static void ask_silent(struct loop_list *loops)
{
	unsigned patience = LOOP_PATIENCE_MS;

	for (size_t i = 0; i < loops->count; i++)
		if (loops->loops[i].silent && !loop_ask(&loops->loops[i], patience))
			patience = LOOP_IMPATIENCE_MS;
}

/* Lists the loop devices, some of whose journals may be lost, as where /run was cleared. */
static int find_loops(struct gc *gc)
{
	struct mount_table mounts = {.text = NULL};

	deadline_exit(DEADLINE_DEFAULT,
		"Examining the loop devices took longer than %g s; look with 'losetup -l' which of "
		"them does not answer.",
		DEADLINE_DEFAULT / 1000.0);
	int status = loop_list_read(NULL, &mounts, &gc->loops);
	if (!status)
		ask_silent(&gc->loops);
	deadline_clear();
	mount_table_free(&mounts);
	return status;
}

static int by_device(const void *a, const void *b)
{
	const struct device *one = &((const struct candidate *)a)->device;
	const struct device *other = &((const struct candidate *)b)->device;
	int order = strcmp(one->type, other->type);

	if (!order)
		order = (one->domid > other->domid) - (one->domid < other->domid);
	return order ? order : (one->devid > other->devid) - (one->devid < other->devid);
}

/* Prints a line for people, and logs it if something is left. */
__attribute__((format(printf, 4, 5))) static void tell(
	const struct gc *gc, const struct device *device, bool kept, const char *format, ...)
{
	char text[DEVICE_TEXT_SIZE], said[2 * SENTENCE_LIMIT], line[sizeof(said) + sizeof(text)];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(said, sizeof(said), format, arguments) < 0)
		said[0] = '\0';
	va_end(arguments);
	snprintf(line, sizeof(line), "%s: %s", device_text(device, text), said);
	puts(line);
	/* The next one may take its time. */
	fflush(stdout);
	if (kept && !gc->dry_run)
		log_line(LOG_WARNING, line);
}

/* Says what became of a device that may be stale. */
static void report(
	struct gc *gc, const struct device *device, enum stale stale, const char *sentence)
{
	bool kept = stale != STALE_RELEASED && stale != STALE_ALIVE;

	gc->stale += stale != STALE_ALIVE;
	gc->left |= kept;
	switch (stale) {
	case STALE_RELEASED:
		tell(gc, device, kept, "%s", gc->dry_run ? "would be released" : "released");
		break;
	case STALE_ALIVE:
		break;
	case STALE_SERVED:
		tell(gc, device, kept,
			"kept, because the kernel still serves domain %u; destroy it first",
			device->domid);
		break;
	case STALE_LOCKED:
		tell(gc, device, kept, "kept, because another script works on it; try again later");
		break;
	case STALE_FAILED:
		tell(gc, device, kept, "not released: %s", sentence);
		break;
	}
}

/* Waits for the last close of the loop devices that it had. Result: as of stale_release_loop(). */
static enum stale await_loops(
	struct gc *gc, const struct device *device, char sentence[STALE_SENTENCE_SIZE])
{
	enum stale stale = STALE_RELEASED;

	for (size_t i = 0; i < gc->loops.count && !stale; i++) {
		const struct loop *loop = &gc->loops.loops[i];

		if (loop->tagged && device_equal(&loop->tag.device, device))
			stale = stale_release_loop(loop, BASE, &gc->store, sentence);
	}
	return stale;
}

static void collect_device(struct gc *gc, const struct candidate *candidate)
{
	const struct device *device = &candidate->device;
	char sentence[STALE_SENTENCE_SIZE];
	enum stale stale =
		candidate->old ? STALE_RELEASED : stale_judge(&gc->store, BASE, device, sentence);

	if (stale == STALE_RELEASED && !gc->dry_run)
		stale = stale_release(device, STALE_MOST_MS, sentence);
	/* One of an earlier boot had none that are here now. */
	if (stale == STALE_RELEASED && !gc->dry_run && !candidate->old)
		stale = await_loops(gc, device, sentence);
	report(gc, device, stale, sentence);
}

static bool has_journal(const struct gc *gc, const struct device *device)
{
	for (size_t i = 0; i < gc->count; i++)
		if (device_equal(&gc->all[i].device, device))
			return true;
	return false;
}

static void collect_loop(struct gc *gc, const struct loop *loop)
{
	const struct device *device = &loop->tag.device;
	char sentence[STALE_SENTENCE_SIZE];

	if (!loop->tagged || has_journal(gc, device) || !is_meant(gc, device))
		return;
	enum stale stale = stale_judge(&gc->store, BASE, device, sentence);
	if (stale == STALE_RELEASED && !gc->dry_run)
		stale = stale_release_loop(loop, BASE, &gc->store, sentence);
	report(gc, device, stale, sentence);
}

static int collect(struct gc *gc)
{
	int status = store_open(&gc->store);

	if (!status)
		status = find_journals(gc);
	if (!status)
		status = find_loops(gc);
	if (status)
		return status;
	if (gc->count)
		qsort(gc->all, gc->count, sizeof(*gc->all), by_device);
	for (size_t i = 0; i < gc->count; i++)
		collect_device(gc, &gc->all[i]);
	for (size_t i = 0; i < gc->loops.count; i++)
		collect_loop(gc, &gc->loops.loops[i]);
	if (!gc->stale)
		puts("Nothing is stale.");
	return gc->left || fflush(stdout) ? STATUS_FAILED : STATUS_DONE;
}

static int run_gc(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"dry-run", no_argument, NULL, 'n'},
		OPTION_HELP,
	};
	struct gc gc = {.store = STORE_CLOSED};

	while (next_option(command, argc, argv, options) != -1)
		gc.dry_run = true;
	gc.only_count = (size_t)(argc - optind);
	gc.only = calloc(gc.only_count + 1, sizeof(*gc.only));
	if (!gc.only)
		return complain_memory();
	for (size_t i = 0; i < gc.only_count; i++)
		option_device(command, argv[optind + (int)i], &gc.only[i]);
	int status = collect(&gc);
	store_close(&gc.store);
	loop_list_free(&gc.loops);
	free(gc.all);
	free(gc.only);
	return status;
}

const struct command command_gc = {
	.name = "gc",
	.usage = "[--dry-run] [TYPE/DOMID/DEVID...]",
	.summary = "releases stale devices: what is left of those that no longer exist",
	.help = "\n"
		"A device is stale if its backend directory is gone from the store, while a\n"
		"journal or a loop device is left of it: libxl called no detach for it. Its\n"
		"script releases it as a detach does. A device that the kernel still serves, or\n"
		"on which a script works, is kept; so is a loop device that is still open. Prints\n"
		"a line for each stale device. The exit status is 1 if one of them is left.\n"
		"With arguments it looks at these devices alone.\n"
		"\n"
		"  --dry-run  only print what would be released\n",
	.run = run_gc,
};
