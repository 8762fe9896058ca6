/* SPDX-License-Identifier: LGPL-2.1-only */
/* Lists the loop devices, and asks no file server that may not answer. */
#include "looplist.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "array.h"
#include "filesystem.h"
#include "guard.h"
#include "message.h"
#include "number.h"
#include "status.h"
#include "textfile.h"

#define MOST_LOOPS (1U << 20)

bool loop_parse_partition(char *line, char name[LOOP_NAME_SIZE], dev_t *number)
{
	enum { MAJOR, MINOR, BLOCKS, NAME, WORDS };
	char *words[WORDS];
	unsigned major_number, minor_number, index;

	if (textfile_split(line, words, WORDS) < WORDS ||
		!parse_unsigned(words[MAJOR], LOOP_MAJOR_NUMBER, &major_number) ||
		major_number != LOOP_MAJOR_NUMBER ||
		!parse_unsigned(words[MINOR], MOST_LOOPS - 1, &minor_number))
		return false;
	/* A partition's name has a "p" after the number. */
	if (strncmp(words[NAME], "loop", 4) != 0 ||
		!parse_unsigned(words[NAME] + 4, MOST_LOOPS - 1, &index))
		return false;
	snprintf(name, LOOP_NAME_SIZE, "loop%u", index);
	*number = makedev(LOOP_MAJOR_NUMBER, minor_number);
	return true;
}

static int add_loop(struct loop_list *list, const char *name, dev_t number)
{
	struct loop *loops = array_room(list->loops, list->count, &list->room, sizeof(*loops));

	if (!loops)
		return complain_memory();
	list->loops = loops;
	loops[list->count] = (struct loop){.number = number};
	snprintf(loops[list->count].path, LOOP_PATH_SIZE, "/dev/%s", name);
	list->count++;
	return STATUS_DONE;
}

/* Adds the devices of /proc/partitions, which omits those of size 0: mostly ones without a file. */
static int list_sized(struct loop_list *list)
{
	int status = STATUS_DONE;

	char *table = textfile_table("/proc/partitions");
	if (!table)
		return complain(STATUS_FAILED,
			"Cannot list the loop devices in '/proc/partitions' (%s); mount procfs on "
			"/proc.",
			strerror(errno));
	for (char *line, *rest = table; !status && (line = strsep(&rest, "\n"));) {
		char name[LOOP_NAME_SIZE];
		dev_t number;

		if (loop_parse_partition(line, name, &number))
			status = add_loop(list, name, number);
	}
	free(table);
	return status;
}

/* The number in the name of a loop device in sysfs. */
static bool parse_name(const char *name, unsigned *index)
{
	return !strncmp(name, "loop", 4) && parse_unsigned(name + 4, MOST_LOOPS - 1, index);
}

/* Marks the devices that are listed. `listed` has room for MOST_LOOPS. */
static void mark_listed(const struct loop_list *list, bool *listed)
{
	unsigned index;

	for (size_t i = 0; i < list->count; i++)
		if (parse_name(list->loops[i].path + strlen("/dev/"), &index))
			listed[index] = true;
}

/* Adds a device with a file and the size 0. */
static int add_empty(int directory, const char *name, struct loop_list *list)
{
	char path[300];
	uint64_t size;
	dev_t number;

	snprintf(path, sizeof(path), "%s/loop/backing_file", name);
	if (faccessat(directory, path, F_OK, 0))
		return STATUS_DONE;
	snprintf(path, sizeof(path), "%s/size", name);
	if (!textfile_number(directory, path, &size) || size)
		return STATUS_DONE;
	snprintf(path, sizeof(path), "%s/dev", name);
	if (!textfile_device(directory, path, &number) || loop_list_get(list, number))
		return STATUS_DONE;
	return add_loop(list, name, number);
}

/*
 * Adds the devices with a file and the size 0: the file was truncated, or the process that attached
 * it was killed while the kernel asked the file server for the size.
 */
static int list_empty(struct loop_list *list)
{
	bool *listed = calloc(MOST_LOOPS, sizeof(*listed));
	int status = STATUS_DONE;
	unsigned index;

	if (!listed)
		return complain_memory();
	DIR *directory = opendir("/sys/block");
	if (!directory)
		status = complain(STATUS_FAILED,
			"Cannot read /sys/block, which has the loop devices (%s); mount sysfs on "
			"/sys.",
			strerror(errno));
	mark_listed(list, listed);
	for (struct dirent *entry; directory && !status && (entry = readdir(directory));)
		if (parse_name(entry->d_name, &index) && !listed[index])
			status = add_empty(dirfd(directory), entry->d_name, list);
	if (directory)
		closedir(directory);
	free(listed);
	return status;
}

/* Marks the devices as silent whose files are on remote file systems, but for that of `own`. */
static void mark_remote(const char *own, const struct mount_table *mounts, struct loop_list *list)
{
	const struct mount *answers = own ? mount_of_path(mounts, own) : NULL;

	for (size_t i = 0; i < list->count; i++) {
		char path[LOOP_FILE_SIZE];

		if (loop_file(list->loops[i].number, path))
			list->loops[i].silent = filesystem_is_remote_path(mounts, path, answers);
	}
}

/* The answers of the devices, which a child process gives. */
struct answers {
	const struct loop_list *list;
	atomic_size_t next; /* the device that is asked */
	struct answer {
		int error;
		struct loop_info64 info;
	} all[];
};

static void ask(void *context)
{
	struct answers *answers = context;
	const struct loop_list *list = answers->list;

	for (size_t i = atomic_load(&answers->next); i < list->count; i++) {
		struct answer *answer = &answers->all[i];

		atomic_store(&answers->next, i);
		if (!list->loops[i].silent)
			answer->error = loop_ask_path(list->loops[i].path, &answer->info);
	}
	atomic_store(&answers->next, list->count);
}

/* Result: false if the devices cannot be asked. */
static bool ask_all(struct answers *answers)
{
	unsigned patience = LOOP_PATIENCE_MS;

	while (atomic_load(&answers->next) < answers->list->count) {
		enum guard_end end = guard_run(ask, answers, &answers->next, patience);
		size_t at = atomic_load(&answers->next);

		if (end == GUARD_FAILED)
			return false;
		if (end == GUARD_DONE)
			break;
		answers->all[at].error = ETIMEDOUT;
		atomic_store(&answers->next, at + 1);
		patience = LOOP_IMPATIENCE_MS;
	}
	return true;
}

static void set_info(struct loop *loop, const struct loop_info64 *info)
{
	char name[LO_NAME_SIZE + 1] = "";

	memcpy(name, info->lo_file_name, LO_NAME_SIZE);
	loop->info = *info;
	loop->tagged = tag_parse(name, &loop->tag);
}

/* Sets what is known of a silent device: perhaps its file, by its path. */
static void set_silent(struct loop *loop, const struct mount_table *mounts)
{
	char path[LOOP_FILE_SIZE];
	struct stat st;

	loop->silent = true;
	if (!loop_file(loop->number, path) || filesystem_is_remote_path(mounts, path, NULL) ||
		lstat(path, &st) || !S_ISREG(st.st_mode))
		return;
	loop->info.lo_device = st.st_dev;
	loop->info.lo_inode = st.st_ino;
}

static int complain_loop(const struct loop *loop, int error)
{
	return complain(STATUS_FAILED,
		"Cannot examine the loop device '%s' (%s), whose file may be this disk; look at it "
		"with 'losetup -l'.",
		loop->path, strerror(error));
}

/* Whether the error says that a file server has ended. */
static bool is_end(int error)
{
	return error == ENOTCONN || error == ECONNABORTED || error == ESTALE;
}

/* Keeps the devices that still have a file. */
static int take_answers(
	const struct answers *answers, const struct mount_table *mounts, struct loop_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		int error = answers->all[i].error;
		struct loop *loop = &list->loops[kept];

		*loop = list->loops[i];
		if (error == ENXIO || error == ENODEV)
			continue;
		loop->ended = is_end(error);
		if (loop->silent || loop->ended || error == ETIMEDOUT)
			set_silent(loop, mounts);
		else if (error)
			return complain_loop(loop, error);
		else
			set_info(loop, &answers->all[i].info);
		kept++;
	}
	list->count = kept;
	return STATUS_DONE;
}

static int ask_loops(const struct mount_table *mounts, struct loop_list *list)
{
	size_t size = sizeof(struct answers) + list->count * sizeof(struct answer);
	struct answers *answers = guard_memory(size);
	int status;

	if (!answers)
		return complain_memory();
	answers->list = list;
	if (ask_all(answers))
		status = take_answers(answers, mounts, list);
	else
		status = complain(STATUS_FAILED,
			"Cannot ask the loop devices for their files in another process (%s); see "
			"whether this host has too many processes.",
			strerror(errno));
	guard_memory_free(answers, size);
	return status;
}

int loop_list_read(const char *own, struct mount_table *mounts, struct loop_list *list)
{
	*list = (struct loop_list){.loops = NULL};
	int status = list_sized(list);

	if (!status)
		status = list_empty(list);
	if (!status && !mount_table_read(mounts))
		status = complain(STATUS_FAILED,
			"Cannot read the mounts in '/proc/self/mountinfo' (%s); mount procfs on "
			"/proc.",
			strerror(errno));
	if (!status && list->count && filesystem_has_remote(mounts))
		mark_remote(own, mounts, list);
	if (!status && list->count)
		status = ask_loops(mounts, list);
	if (status)
		loop_list_free(list);
	return status;
}

void loop_list_free(struct loop_list *list)
{
	free(list->loops);
	*list = (struct loop_list){.loops = NULL};
}

const struct loop *loop_list_get(const struct loop_list *list, dev_t number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->loops[i].number == number)
			return &list->loops[i];
	return NULL;
}

void loop_bottom_file(dev_t number, const struct loop_info64 *info, struct mount_table *mounts,
	char path[LOOP_FILE_SIZE], struct file *file)
{
	path[0] = '\0';
	*file = (struct file){(dev_t)info->lo_device, (ino_t)info->lo_inode, path};
	if (!major(file->dev) && loop_file(number, path))
		filesystem_to_layer(mounts, path, LOOP_FILE_SIZE, file);
}

/* What is asked of one device, and its answer. */
struct question {
	char path[LOOP_PATH_SIZE];
	int error;
	struct loop_info64 info;
};

static void answer(void *context)
{
	struct question *question = context;

	question->error = loop_ask_path(question->path, &question->info);
}

int loop_ask_within(const char *path, unsigned ms, struct loop_info64 *info)
{
	struct question *question = guard_memory(sizeof(*question));
	int error = ETIMEDOUT;

	if (!question)
		return errno;
	snprintf(question->path, sizeof(question->path), "%s", path);
	enum guard_end end = guard_run(answer, question, NULL, ms);
	if (end != GUARD_STUCK)
		error = end == GUARD_DONE ? question->error : EAGAIN;
	*info = question->info;
	guard_memory_free(question, sizeof(*question));
	return error;
}

bool loop_ask(struct loop *loop, unsigned ms)
{
	struct loop_info64 info;
	int error = loop_ask_within(loop->path, ms, &info);
	bool lost = error == ENXIO || error == ENODEV;

	if (!error)
		set_info(loop, &info);
	if (lost)
		loop->number = 0;
	loop->ended = is_end(error);
	loop->silent = error && !lost;
	return !loop->silent;
}
