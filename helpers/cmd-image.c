/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug image: checks which other files an image names. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "deadline.h"
#include "disk/held.h"
#include "disk/image.h"
#include "disk/reachable.h"
#include "message.h"
#include "output.h"
#include "status.h"

struct image {
	const char *path;
	const char *format;
	const char *backing; /* what the configuration names, or NULL */
	struct held held;    /* its text is NULL if no claim holds the image */
};

/* Opens the image. Result: a descriptor, or -1 with a complaint. */
static int open_image(const struct image *image)
{
	if (image->held.text)
		return held_open(&image->held);
	if (!reachable(image->path)) {
		reachable_complain(image->path);
		return -1;
	}
	int fd = open(image->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		complain(STATUS_FAILED, "Cannot open the image %s (%s); correct its path.",
			QUOTED(image->path), strerror(errno));
	return fd;
}

/* Reads the header. Result: as image_read(), with a complaint. */
static unsigned char *read_header(const struct image *image, size_t *length)
{
	int fd = open_image(image);

	if (fd < 0)
		return NULL;
	unsigned char *bytes = image_read(fd, length);
	if (!bytes)
		complain(STATUS_FAILED, "Cannot read the image %s (%s); look at the kernel's log.",
			QUOTED(image->path), strerror(errno));
	close(fd);
	return bytes;
}

static int judge_format(const struct image *image, const char *format)
{
	if (!strcmp(format, "raw") || image_format_known(format))
		return STATUS_DONE;
	if (!format[0])
		return complain(STATUS_FAILED,
			"The image %s does not name the format of its backing file; add it with "
			"'qemu-img rebase -u -F'.",
			QUOTED(image->path));
	return complain(STATUS_FAILED,
		"The image %s names the format %s of its backing file, which is not raw, qcow2 or "
		"vmdk; correct it with 'qemu-img rebase -u -F'.",
		QUOTED(image->path), QUOTED(format));
}

/* Compares the backing file that the header names with that of the configuration. */
static int judge_backing(const struct image *image, const struct image_header *header)
{
	char named[PATH_MAX], wanted[PATH_MAX] = "";

	if (!header->backing[0] && !image->backing)
		return STATUS_DONE;
	if (!header->backing[0])
		return complain(STATUS_FAILED,
			"The image %s has no backing file, but backing= names %s; correct backing= "
			"in the guest's configuration.",
			QUOTED(image->path), QUOTED(image->backing));
	if (!image_backing_path(image->path, header->backing, named))
		return complain(STATUS_FAILED,
			"The image %s has the backing file %s, which is not a local file; flatten "
			"it with 'qemu-img convert'.",
			QUOTED(image->path), QUOTED(header->backing));
	if (!image->backing || !image_backing_path("/", image->backing, wanted) ||
		strcmp(named, wanted) != 0)
		return complain(STATUS_FAILED,
			"The image %s has the backing file %s, which backing= does not name; if "
			"the guest may read it, add it there.",
			QUOTED(image->path), QUOTED(named));
	return judge_format(image, header->backing_format);
}

static int print_result(const struct image_header *header)
{
	struct output out = {0};

	if (header->backing[0])
		output_field(&out, "backing-format=%s", header->backing_format);
	int status = output_flush(&out);
	output_free(&out);
	return status;
}

static int examine(const struct image *image)
{
	struct image_header header;
	size_t length;
	unsigned char *bytes = read_header(image, &length);

	if (!bytes)
		return STATUS_FAILED;
	const char *problem = image_parse(image->format, bytes, length, &header);
	free(bytes);
	if (problem)
		return complain(STATUS_FAILED, "The image %s %s.", QUOTED(image->path), problem);
	int status = judge_backing(image, &header);
	return status ? status : print_result(&header);
}

static int run_image(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"backing", required_argument, NULL, 'b'},
		{"held", required_argument, NULL, 'H'},
		OPTION_HELP,
	};
	struct image image = {.format = ""};

	for (int option; (option = next_option(command, argc, argv, options)) != -1;) {
		if (option == 'f')
			image.format = optarg;
		else if (option == 'b')
			image.backing = optarg;
		else if (!held_parse(optarg, &image.held))
			return usage_error(command, "The option --held needs LOOP=PATH, not %s",
				QUOTED(optarg));
	}
	if (!image_format_known(image.format))
		return usage_error(command, "'image' needs --format with qcow2 or vmdk");
	if (argc - optind != 1 || argv[optind][0] != '/')
		return usage_error(command, "'image' needs one absolute path");
	image.path = argv[optind];
	deadline_exit(DEADLINE_DEFAULT,
		"Reading the image %s took longer than %g s; check that its server responds.",
		QUOTED(image.path), DEADLINE_DEFAULT / 1000.0);
	return examine(&image);
}

const struct command command_image = {
	.name = "image",
	.usage = "--format qcow2|vmdk [--backing PATH] [--held LOOP=PATH] IMAGE",
	.summary = "checks which other files an image names",
	.help = "\n"
		"Fails unless the header of IMAGE, an absolute path, is in that format and\n"
		"names no other file but PATH as its backing file. No file that the header\n"
		"names is opened or looked at. Prints the field backing-format=FORMAT, if the\n"
		"image has a backing file.\n"
		"\n"
		"  --format FORMAT   qcow2, or vmdk (one sparse file)\n"
		"  --backing PATH    the backing file; without it, the image may have none\n"
		"  --held LOOP=PATH  read the file at this path, which must be the one that\n"
		"                    the loop device holds\n",
	.run = run_image,
};
