/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug identify: prints what a disk is and who uses it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "command.h"
#include "deadline.h"
#include "disk/disk.h"
#include "disk/relatives.h"
#include "disk/users.h"
#include "message.h"
#include "output.h"
#include "status.h"
#include "store.h"

static void put_extent(struct output *out, const struct extent *extent)
{
	char base[BASE_TEXT_SIZE], length[24] = "-";

	if (extent->length != EXTENT_TO_END)
		snprintf(length, sizeof(length), "%" PRIu64, extent->length);
	output_field(out, "extent=%s %" PRIu64 " %s", base_text(&extent->base, base), extent->start,
		length);
}

static void put_disk(struct output *out, const struct disk *disk)
{
	output_field(out, "target=%s", disk->path);
	output_field(out, "kind=%s", disk->file ? "file" : "device");
	if (!disk->file)
		output_field(out, "physical-device=%x:%x", major(disk->stat.st_rdev),
			minor(disk->stat.st_rdev));
	for (size_t i = 0; i < disk->identity.extent_count; i++)
		if (!disk->identity.extents[i].beneath)
			put_extent(out, &disk->identity.extents[i]);
	output_field(out, "readonly=%d", disk->read_only);
}

static int put_users(struct output *out, const struct disk *disk, const char *base)
{
	struct relatives relatives;
	const struct user_query query = {
		.disk = disk, .relatives = &relatives, .base = base, .lock_fd = -1};
	struct store store = STORE_CLOSED;
	struct user_list list = {.users = NULL};
	int status = relatives_find(disk, &relatives);

	if (!status)
		status = users_find(&query, &store, &list);
	for (size_t i = 0; i < list.count && !status; i++)
		if (list.users[i].guest)
			status = store_open(&store); /* for the guest's name */
	for (size_t i = 0; i < list.count && !status; i++) {
		char state[USER_TEXT_SIZE], remedy[USER_TEXT_SIZE];

		user_describe(&list.users[i], &store, base, state, remedy);
		output_field(out, "user=%s", state);
	}
	user_list_free(&list);
	relatives_free(&relatives);
	store_close(&store);
	return status;
}

static int identify(const char *target, const char *base)
{
	struct disk disk = DISK_CLOSED;
	struct output out = {0};
	int status = disk_open(target, false, &disk);

	if (!status) {
		put_disk(&out, &disk);
		status = put_users(&out, &disk, base);
	}
	if (!status)
		status = output_flush(&out);
	output_free(&out);
	disk_close(&disk);
	return status;
}

static int run_identify(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"base", required_argument, NULL, 'b'},
		{"deadline", required_argument, NULL, 'd'},
		OPTION_HELP,
	};
	unsigned deadline_ms = DEADLINE_DEFAULT;
	const char *base = "backend/vbd";

	for (int option; (option = next_option(command, argc, argv, options)) != -1;) {
		if (option == 'b')
			base = optarg;
		else
			deadline_ms = option_seconds(command, "--deadline", optarg);
	}
	if (argc - optind != 1 || argv[optind][0] != '/')
		return usage_error(command, "'identify' needs one absolute path");
	deadline_exit(deadline_ms,
		"Examining the disk %s and its users took longer than %g s; check that the disk, "
		"its server and xenstored respond.",
		QUOTED(argv[optind]), deadline_ms / 1000.0);
	return identify(argv[optind], base);
}

const struct command command_identify = {
	.name = "identify",
	.usage = "[--base PATH] [--deadline SECONDS] TARGET",
	.summary = "prints what a disk is and who uses it",
	.help = "\n"
		"Prints the fields\n"
		"  target=PATH                     without symbolic links\n"
		"  kind=file|device\n"
		"  physical-device=MAJOR:MINOR     if it is a device, hexadecimal\n"
		"  extent=BASE START LENGTH        a range of its bytes: BASE is 'file DEV:INO'\n"
		"                                  (hexadecimal) or 'device MAJOR:MINOR'\n"
		"                                  (decimal); START and LENGTH are in bytes,\n"
		"                                  and the LENGTH - reaches to the end; the\n"
		"                                  devices below a file are left out\n"
		"  readonly=0|1\n"
		"  user=TEXT                       one field for each user, in words\n"
		"\n"
		"  --base PATH         the vbd backends in the store (backend/vbd)\n"
		"  --deadline SECONDS  take at most so long (10)\n",
	.run = run_identify,
};
