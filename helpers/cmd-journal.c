/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug journal: what a device's journal has, and what other devices' journals have. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "journal.h"
#include "message.h"
#include "output.h"
#include "status.h"

/* Says why a journal was not read. Result: an exit status. */
static int complain_unread(const char *path)
{
	if (errno == ENOENT)
		return complain(STATUS_ABSENT, "There is no journal %s.", QUOTED(path));
	if (errno == EPERM || errno == ELOOP)
		return complain(STATUS_FAILED,
			"%s is no file that root has written, so that what this device has is not "
			"known; see who made it, then remove it.",
			path);
	return complain(STATUS_FAILED,
		"Cannot read %s (%s); see what is wrong with that file system.", QUOTED(path),
		strerror(errno));
}

/* A later version's journal may say more than this one would release. */
static int check_format(const char *path, const struct journal *journal)
{
	const char *format = journal_unknown_format(journal);

	if (!format)
		return STATUS_DONE;
	return complain(STATUS_FAILED,
		"%s has the format %s, which this version does not know; detach the device with "
		"the version that attached it.",
		path, QUOTED(format));
}

static void put_record(struct output *out, const struct record *record)
{
	const char *field = record->field;

	output_field(out, "%s", record->word);
	output_field(out, "%zu", record->count);
	for (size_t i = 0; i < record->count; i++) {
		output_field(out, "%s", field);
		field += strlen(field) + 1;
	}
}

/* Prints whether the journal is of this boot, and its records. */
static int print(const char *path)
{
	struct output out = {0};
	struct journal journal;
	struct journal_head head;
	struct record record;

	if (!journal_read(path, &journal))
		return complain_unread(path);
	int status = check_format(path, &journal);
	const char *at = journal.bytes, *end = at + journal.length;
	journal_head_parse(at, journal.length, &head);
	output_field(&out, "%s", journal_is_current(&head) ? "current" : "old");
	while (journal_next(&at, end, &record))
		put_record(&out, &record);
	if (!status)
		status = output_flush(&out);
	output_free(&out);
	journal_free(&journal);
	return status;
}

/* Adds another device's value, unless its journal has none or is of an earlier boot. */
static int put_other(
	struct output *out, const char *directory, int length, const char *name, const char *key)
{
	char path[PATH_MAX];
	struct journal journal;
	struct journal_head head;

	snprintf(path, sizeof(path), "%.*s%s", length, directory, name);
	if (!journal_read(path, &journal)) {
		/* It has gone, or was never a journal. */
		if (errno == ENOENT || errno == EPERM || errno == ELOOP)
			return STATUS_DONE;
		return complain_unread(path);
	}
	journal_head_parse(journal.bytes, journal.length, &head);
	const char *value = journal_is_current(&head) ? journal_latest(&journal, key) : NULL;
	if (value && *value) {
		output_field(out, "%s", name);
		output_field(out, "%s", value);
	}
	journal_free(&journal);
	return STATUS_DONE;
}

static int print_others(const char *path, const char *key)
{
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash + 1 - path) : 0, status = STATUS_DONE;
	char directory[PATH_MAX];
	struct output out = {0};
	struct device device;

	snprintf(directory, sizeof(directory), "%.*s.", length, path);
	DIR *entries = opendir(directory);
	if (!entries && errno != ENOENT)
		return complain_unread(directory);
	for (struct dirent *entry; !status && entries && (entry = readdir(entries));)
		if (strcmp(entry->d_name, path + length) != 0 &&
			journal_name_parse(entry->d_name, &device))
			status = put_other(&out, path, length, entry->d_name, key);
	if (entries)
		closedir(entries);
	if (!status)
		status = output_flush(&out);
	output_free(&out);
	return status;
}

/* The bytes of the whole records; behind a truncated one, nothing could be read. */
static size_t whole_length(const struct journal *journal)
{
	const char *at = journal->bytes, *end = at + journal->length;
	struct record record;

	while (journal_next(&at, end, &record))
		;
	return (size_t)(at - journal->bytes);
}

static int drop(const char *path, const char *key)
{
	struct journal journal;
	char *record = NULL;
	int length, fd = -1, status = STATUS_FAILED;

	if (!journal_read(path, &journal))
		return errno == ENOENT ? STATUS_DONE : complain_unread(path);
	/* The NUL that asprintf() adds is the record's last. */
	length = asprintf(&record, "note%c2%c%s%c%c", '\0', '\0', key, '\0', '\0') + 1;
	if (length <= 0)
		record = NULL;
	fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && length > 0 && !ftruncate(fd, (off_t)whole_length(&journal)) &&
		write(fd, record, (size_t)length) == length)
		status = STATUS_DONE;
	else
		complain(status,
			"Cannot write %s (%s); see whether its file system is full or read-only.",
			QUOTED(path), strerror(errno));
	if (fd >= 0)
		close(fd);
	free(record);
	journal_free(&journal);
	return status;
}

static int run_journal(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"others", required_argument, NULL, 'o'},
		{"drop", required_argument, NULL, 'd'},
		OPTION_HELP,
	};
	const char *key = NULL;
	int what = 0;

	for (int option; (option = next_option(command, argc, argv, options)) != -1;) {
		what = option;
		key = optarg;
	}
	if (argc - optind != 1 || !argv[optind][0])
		return usage_error(command, "'journal' needs one file");
	switch (what) {
	case 'o':
		return print_others(argv[optind], key);
	case 'd':
		return drop(argv[optind], key);
	default:
		return print(argv[optind]);
	}
}

const struct command command_journal = {
	.name = "journal",
	.usage = "[--others KEY | --drop KEY] FILE",
	.summary = "reads a device's journal, or those of the other devices",
	.help = "\n"
		"Prints 'current', or 'old' if the host has booted since; then each record that\n"
		"is whole: its word, the number of its fields, and the fields.\n"
		"\n"
		"  --others KEY  print NAME and VALUE of each other journal in that directory, of\n"
		"                this boot, whose last note for KEY is not empty\n"
		"  --drop KEY    note an empty value for KEY, in place of a truncated record\n",
	.run = run_journal,
};
