/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the helper finds out about stacks of block devices that this machine does not have: its own
 * code, on devices that a file describes, one a line, in decimal and in sectors of 512 bytes:
 *
 *   partition NUMBER WHOLE START LENGTH
 *   loop NUMBER file DEV:INO | loop NUMBER device BELOW
 *   array NUMBER MEMBER...
 *   dm NUMBER START LENGTH TYPE PARAMETER...      a target; several are one table
 *   filesystem NUMBER MEMBER...                   one without a device number of its own, as btrfs
 *
 * What is on no line is a disk. DEV is one number: 2049 is the file system on 8:1.
 *
 *   layers FILE overlap DISK DISK     apart, or who writes what is the other's, too; "beneath" if
 *                                     they share only what is beneath the first one's file system
 *   layers FILE relatives DISK        the devices that share bytes with it, in order
 *
 * A DISK is a NUMBER, or file:DEV:INO.
 */
#include <errno.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "disk/blockdev.h"
#include "disk/dm.h"
#include "disk/filesystem.h"
#include "disk/loop.h"
#include "disk/opaque.h"
#include "disk/relatives.h"
#include "number.h"
#include "status.h"

#define MOST_LINES 200
#define LINE_SIZE 256
#define TABLE_SIZE 65536

static char lines[MOST_LINES][LINE_SIZE];
static size_t line_count;

/* The words of line `i` from the `skip`th on. Result: NULL where it is of another kind or device.
 */
static const char *words_of(size_t i, const char *kind, dev_t number)
{
	size_t length = strlen(kind);
	dev_t own;

	if (strncmp(lines[i], kind, length) != 0 || lines[i][length] != ' ' ||
		!parse_device(lines[i] + length + 1, &own) || own != number)
		return NULL;
	const char *blank = strchr(lines[i] + length + 1, ' ');
	return blank ? blank + 1 : "";
}

static const char *find_line(const char *kind, dev_t number)
{
	const char *words = NULL;

	for (size_t i = 0; i < line_count && !words; i++)
		words = words_of(i, kind, number);
	return words;
}

bool blockdev_partition(dev_t number, dev_t *whole, uint64_t *start, uint64_t *length)
{
	const char *words = find_line("partition", number);
	unsigned long long first, sectors;

	if (!words || !parse_device(words, whole) ||
		sscanf(words, "%*s %llu %llu", &first, &sectors) != 2)
		return false;
	*start = first * SECTOR;
	*length = sectors * SECTOR;
	return true;
}

static bool line_number(size_t i, dev_t *number)
{
	const char *blank = strchr(lines[i], ' ');

	return blank && parse_device(blank + 1, number);
}

bool blockdev_each_partition(dev_t whole, bool (*each)(dev_t, void *), void *context)
{
	bool go_on = true;

	for (size_t i = 0; i < line_count && go_on; i++) {
		dev_t number, own;

		if (line_number(i, &number) && words_of(i, "partition", number) &&
			parse_device(words_of(i, "partition", number), &own) && own == whole)
			go_on = each(number, context);
	}
	return go_on;
}

/* Whether line `i` says that `upper` is built on the device that the word names. */
static bool each_word(size_t i, dev_t upper, bool (*each)(dev_t, void *), void *context)
{
	const char *words = words_of(i, "array", upper);
	bool go_on = true;
	dev_t slave;

	if (!words)
		words = words_of(i, "dm", upper);
	for (; words && *words && go_on; words += strcspn(words, " "), words += *words == ' ')
		if (parse_device(words, &slave))
			go_on = each(slave, context);
	return go_on;
}

bool blockdev_each_slave(dev_t number, bool (*each)(dev_t, void *), void *context)
{
	bool go_on = true;

	for (size_t i = 0; i < line_count && go_on; i++)
		go_on = each_word(i, number, each, context);
	return go_on;
}

bool filesystem_each_device(const struct file *file, struct mount_table *mounts,
	bool (*each)(dev_t device, void *context), void *context)
{
	const char *words = find_line("filesystem", file->dev);
	bool go_on = true;
	dev_t member;

	(void)mounts;
	if (major(file->dev))
		return each(file->dev, context);
	for (; words && *words && go_on; words += strcspn(words, " "), words += *words == ' ')
		if (parse_device(words, &member))
			go_on = each(member, context);
	return go_on;
}

void loop_bottom_file(dev_t number, const struct loop_info64 *info, struct mount_table *mounts,
	char path[LOOP_FILE_SIZE], struct file *file)
{
	(void)number;
	(void)mounts;
	path[0] = '\0';
	*file = (struct file){info->lo_device, info->lo_inode, path};
}

const char *opaque_type(const struct mount_table *mounts, dev_t dev, const char *path)
{
	(void)mounts;
	(void)dev;
	(void)path;
	return NULL;
}

bool opaque_alike(struct mount_table *mounts, const struct loop *loop, dev_t dev, const char *path,
	uint64_t size)
{
	(void)mounts;
	(void)loop;
	(void)dev;
	(void)path;
	(void)size;
	return false;
}

static bool is_other(dev_t slave, void *context)
{
	return slave != *(dev_t *)context;
}

bool blockdev_each_holder(dev_t number, bool (*each)(dev_t, void *), void *context)
{
	bool go_on = true;

	for (size_t i = 0; i < line_count && go_on; i++) {
		dev_t upper;

		if (line_number(i, &upper) && !each_word(i, upper, is_other, &number))
			go_on = each(upper, context);
	}
	return go_on;
}

/* One target as the kernel lays it out (drivers/md/dm-ioctl.c, retrieve_status). */
static size_t put_target(char *table, size_t at, const char *words)
{
	struct dm_target_spec spec = {.status = 0};
	unsigned long long start, length;
	int parameters = 0;

	if (sscanf(words, "%llu %llu %15s %n", &start, &length, spec.target_type, &parameters) != 3)
		abort();
	spec.sector_start = start;
	spec.length = length;
	size_t end = at + sizeof(spec) + strlen(words + parameters) + 1;
	end = (end + 7) / 8 * 8;
	spec.next = (uint32_t)end;
	memcpy(table + at, &spec, sizeof(spec));
	memcpy(table + at + sizeof(spec), words + parameters, strlen(words + parameters) + 1);
	return end;
}

bool dm_table_read(dev_t number, struct dm_table *table)
{
	char *text = calloc(1, TABLE_SIZE);

	if (!text)
		abort();
	*table = (struct dm_table){.buffer = text, .targets = text};
	for (size_t i = 0; i < line_count; i++) {
		const char *words = words_of(i, "dm", number);

		if (!words)
			continue;
		table->size = put_target(text, table->size, words);
		table->count++;
	}
	if (table->count)
		return true;
	dm_table_free(table);
	return false;
}

void dm_table_free(struct dm_table *table)
{
	free(table->buffer);
	table->buffer = NULL;
}

bool loop_status(dev_t number, struct loop_info64 *info)
{
	const char *words = find_line("loop", number);
	unsigned long long device, inode;
	dev_t below;

	*info = (struct loop_info64){.lo_number = minor(number)};
	errno = ENXIO;
	if (!words)
		return false;
	if (sscanf(words, "file %llu:%llu", &device, &inode) == 2) {
		info->lo_device = device;
		info->lo_inode = inode;
	} else if (!strncmp(words, "device ", 7) && parse_device(words + 7, &below)) {
		info->lo_rdevice = below;
	}
	return true;
}

const struct loop *loop_list_get(const struct loop_list *list, dev_t number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->loops[i].number == number)
			return &list->loops[i];
	return NULL;
}

int loop_list_read(const char *own, struct mount_table *mounts, struct loop_list *list)
{
	(void)own;
	(void)mounts;
	*list = (struct loop_list){.loops = calloc(MOST_LINES, sizeof(struct loop))};
	for (size_t i = 0; list->loops && i < line_count; i++) {
		struct loop *loop = &list->loops[list->count];

		if (strncmp(lines[i], "loop ", 5) != 0 || !line_number(i, &loop->number))
			continue;
		loop_status(loop->number, &loop->info);
		list->count++;
	}
	return list->loops ? STATUS_DONE : STATUS_FAILED;
}

void loop_list_free(struct loop_list *list)
{
	free(list->loops);
	*list = (struct loop_list){.loops = NULL};
}

static void read_lines(const char *path)
{
	FILE *file = fopen(path, "re");

	while (file && line_count < MOST_LINES && fgets(lines[line_count], LINE_SIZE, file)) {
		lines[line_count][strcspn(lines[line_count], "\n")] = '\0';
		line_count++;
	}
	if (file)
		fclose(file);
}

static bool parse_file(const char *text, struct file *file)
{
	unsigned long long device, inode;

	if (sscanf(text, "file:%llu:%llu", &device, &inode) != 2)
		return false;
	*file = (struct file){.dev = device, .ino = inode, .path = ""};
	return true;
}

static struct identity identity_or_die(const char *text)
{
	struct identity_cache cache = {.partitions = NULL};
	struct identity identity;
	struct file file;
	dev_t number;
	bool done = parse_file(text, &file) ? identity_of_file(&file, &cache, &identity)
					    : parse_device(text, &number) &&
						      identity_of_device(number, &cache, &identity);

	if (!done) {
		perror(text);
		exit(1);
	}
	identity_cache_free(&cache);
	return identity;
}

static void show_overlap(const char *one, const char *other)
{
	struct identity a = identity_or_die(one), b = identity_or_die(other);
	struct overlap overlap = identity_overlap(&a, &b);

	printf("%s%s%s%s\n", overlap.any ? "shared" : "apart", overlap.first_writes ? " first" : "",
		overlap.second_writes ? " second" : "",
		overlap.any && !overlap.direct ? " beneath" : "");
	identity_free(&a);
	identity_free(&b);
}

static void show_relatives(const char *text)
{
	struct disk disk = {.identity = identity_or_die(text)};
	struct relatives relatives;

	disk.file = !parse_device(text, &disk.stat.st_rdev);
	if (relatives_find(&disk, &relatives))
		exit(1);
	for (size_t i = 0; i < relatives.count; i++)
		printf("%u:%u%s%s\n", major(relatives.all[i].number),
			minor(relatives.all[i].number), relatives.all[i].holder ? " holder" : "",
			relatives.all[i].overlap.direct ? "" : " beneath");
	relatives_free(&relatives);
	identity_free(&disk.identity);
}

int main(int argc, char *argv[])
{
	if (argc == 5 && !strcmp(argv[2], "overlap")) {
		read_lines(argv[1]);
		show_overlap(argv[3], argv[4]);
		return 0;
	}
	if (argc == 4 && !strcmp(argv[2], "relatives")) {
		read_lines(argv[1]);
		show_relatives(argv[3]);
		return 0;
	}
	fprintf(stderr, "usage: layers FILE overlap DISK DISK | layers FILE relatives DISK\n");
	return 2;
}
