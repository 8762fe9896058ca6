/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug release: detaches the loop devices of a guest's device. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "deadline.h"
#include "disk/device.h"
#include "disk/loop.h"
#include "disk/looplist.h"
#include "message.h"
#include "output.h"
#include "status.h"

/* How long the guest's own device may take to say whose it is. */
#define OWN_MS 5000

struct release {
	struct device device;
	bool has_device;
	bool has_token;
	uint32_t token;
	const char *loop;   /* the only one on a remote file system to be asked; or NULL */
	const char *node;   /* what the store has recorded: the loop device, */
	const char *target; /* and the image file; NULL: nothing */
	bool keep;	    /* only print them */
	unsigned deadline_ms;
};

/* Whether it is tagged for the device, and still holds the file that it was tagged for. */
static bool is_own(const struct release *release, const struct loop *loop)
{
	return loop->tagged && device_equal(&loop->tag.device, &release->device) &&
	       loop->tag.dev == (dev_t)loop->info.lo_device &&
	       loop->tag.ino == (ino_t)loop->info.lo_inode;
}

/* Whether sysfs says that a loop device's file had this path, and perhaps was deleted. */
static bool had_path(const struct loop *loop, const char *path)
{
	char file[LOOP_FILE_SIZE];

	return loop_file(loop->number, file) &&
	       (!strcmp(file, path) || (loop_file_undelete(file) && !strcmp(file, path)));
}

/* Whether the node names the loop device. */
static bool is_node(const struct release *release, const struct loop *loop)
{
	struct stat node;

	return !stat(release->node, &node) && S_ISBLK(node.st_mode) && node.st_rdev == loop->number;
}

/*
 * Whether it is the loop device that the store has recorded for the device, and no tag says that it
 * is another's: the node alone is not enough, since its number may have been given to another file.
 */
static bool is_recorded(const struct release *release, const struct loop *loop)
{
	struct stat file;

	if (loop->tagged && !is_own(release, loop))
		return false;
	if (!is_node(release, loop))
		return false;
	if (stat(release->target, &file))
		return errno == ENOENT && had_path(loop, release->target);
	return S_ISREG(file.st_mode) && file.st_dev == (dev_t)loop->info.lo_device &&
	       file.st_ino == (ino_t)loop->info.lo_inode;
}

/* Whether it is to be detached. One whose file server has ended is known by its name alone. */
static bool is_meant(const struct release *release, const struct loop *loop)
{
	if (loop->ended)
		return release->loop ? !strcmp(release->loop, loop->path)
				     : release->node && is_node(release, loop) &&
					       had_path(loop, release->target);
	if (loop->silent || !loop->number)
		return false;
	if (release->node)
		return is_recorded(release, loop);
	return is_own(release, loop) && (!release->has_token || loop->tag.token == release->token);
}

/* Whether a device on a remote file system is to be asked whose it is. */
static bool may_be_meant(const struct release *release, const struct loop *loop)
{
	if (release->node)
		return is_node(release, loop);
	return !release->loop || !strcmp(release->loop, loop->path);
}

/*
 * Asks the silent devices that may be the guest's. Result: the one that is known to be the guest's
 * and does not answer, or NULL. Without a name, one that does not answer is passed over.
 */
static const struct loop *ask_silent(const struct release *release, struct loop_list *loops)
{
	bool named = release->loop || release->node;
	unsigned patience = named ? OWN_MS : LOOP_PATIENCE_MS;
	const struct loop *stuck = NULL;

	for (size_t i = 0; i < loops->count; i++) {
		struct loop *loop = &loops->loops[i];

		if (!loop->silent || !may_be_meant(release, loop) || loop_ask(loop, patience) ||
			loop->ended)
			continue;
		stuck = named ? loop : NULL;
		patience = LOOP_IMPATIENCE_MS;
	}
	return stuck;
}

static int complain_stuck(const struct loop *loop)
{
	char path[LOOP_FILE_SIZE];

	loop_file(loop->number, path);
	return complain(STATUS_FAILED,
		"The file server of %s does not answer, so '%s' is still attached to it; "
		"detach the disk again when it answers.",
		QUOTED(path), loop->path);
}

static int detach_all(
	const struct release *release, const struct loop_list *loops, struct output *out)
{
	for (size_t i = 0; i < loops->count; i++) {
		const struct loop *loop = &loops->loops[i];
		bool detached = release->keep;

		if (!is_meant(release, loop))
			continue;
		/* Detached already; it goes when the last one who looks at it closes it. */
		if (loop->info.lo_flags & LO_FLAGS_AUTOCLEAR) {
			if (release->keep)
				output_field(out, "detaching %s", loop->path);
			continue;
		}
		int status = release->keep ? STATUS_DONE : loop_detach(loop, &detached);
		if (status)
			return status;
		if (detached)
			output_field(out, "%s", loop->path);
	}
	return STATUS_DONE;
}

static int release_device(const struct release *release)
{
	struct mount_table mounts = {.text = NULL};
	struct loop_list loops;
	struct output out = {0};

	deadline_exit(release->deadline_ms,
		"Detaching the loop devices took longer than %g s; look with 'losetup -l' which "
		"of them does not answer.",
		release->deadline_ms / 1000.0);
	int status = loop_list_read(NULL, &mounts, &loops);
	const struct loop *stuck = status ? NULL : ask_silent(release, &loops);
	if (!status)
		status = detach_all(release, &loops, &out);
	if (!status && stuck)
		status = complain_stuck(stuck);
	if (!status)
		status = output_flush(&out);
	output_free(&out);
	loop_list_free(&loops);
	mount_table_free(&mounts);
	return status;
}

static int parse_option(
	const struct command *command, struct release *release, int option, const char *value)
{
	switch (option) {
	case 'D':
		release->has_device = device_parse(value, &release->device);
		return release->has_device ? STATUS_DONE
					   : usage_error(command,
						     "The option --device needs "
						     "TYPE/DOMID/DEVID, not %s",
						     QUOTED(value));
	case 'T':
		release->has_token = parse_token(value, &release->token);
		return release->has_token ? STATUS_DONE
					  : usage_error(command,
						    "The option --token needs up to eight "
						    "hexadecimal digits, not %s",
						    QUOTED(value));
	case 'l':
		release->loop = value;
		return STATUS_DONE;
	case 'n':
		release->node = value;
		return STATUS_DONE;
	case 't':
		release->target = value;
		return STATUS_DONE;
	case 'k':
		release->keep = true;
		return STATUS_DONE;
	default:
		release->deadline_ms = option_seconds(command, "--deadline", value);
		return STATUS_DONE;
	}
}

static int run_release(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"device", required_argument, NULL, 'D'},
		{"token", required_argument, NULL, 'T'},
		{"loop", required_argument, NULL, 'l'},
		{"node", required_argument, NULL, 'n'},
		{"target", required_argument, NULL, 't'},
		{"keep", no_argument, NULL, 'k'},
		{"deadline", required_argument, NULL, 'd'},
		OPTION_HELP,
	};
	struct release release = {.deadline_ms = DEADLINE_DEFAULT};
	int status = STATUS_DONE;

	for (int option; !status && (option = next_option(command, argc, argv, options)) != -1;)
		status = parse_option(command, &release, option, optarg);
	if (status)
		return status;
	if (!release.has_device || argc != optind)
		return usage_error(command, "'release' needs --device and no further argument");
	if (!release.node != !release.target)
		return usage_error(command, "'release' needs --node and --target together");
	if (release.node && release.has_token)
		return usage_error(command, "'release' takes --token or --node, not both");
	return release_device(&release);
}

const struct command command_release = {
	.name = "release",
	.usage = "--device TYPE/DOMID/DEVID [--token HEX [--loop PATH] | --node PATH --target "
		 "PATH] [--keep] [--deadline SECONDS]",
	.summary = "detaches the loop devices of a guest's device",
	.help = "\n"
		"Detaches those that 'claim' has tagged for the device and that still hold\n"
		"the same file, whatever became of its name; prints one field for each, its\n"
		"path. One that is in use goes when its last user closes it. Nothing to\n"
		"detach is fine.\n"
		"\n"
		"  --device TYPE/DOMID/DEVID  for whom, such as vbd/3/51712\n"
		"  --token HEX                only what the attach with this token has tagged\n"
		"  --loop PATH                of devices on remote file systems, ask only this "
		"one\n"
		"  --node PATH, --target PATH only this loop device, while it holds that image "
		"file;\n"
		"                             also one without a tag, as older scripts attach it\n"
		"  --keep                     detach nothing, only print what would be detached,\n"
		"                             and with 'detaching ' before it what goes at the "
		"last\n"
		"                             close\n"
		"  --deadline SECONDS         take so long (10)\n",
	.run = run_release,
};
