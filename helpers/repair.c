/* SPDX-License-Identifier: LGPL-2.1-only */
/* Restores the rules of guests' interfaces that other programs have removed. */
#include "repair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "array.h"
#include "journal.h"
#include "lock.h"
#include "message.h"
#include "number.h"
#include "recorded.h"
#include "status.h"

#define SELF "/proc/self/exe"
#define LOCK_FILE JOURNAL_DIRECTORY "/lock"
/* As long as an attach or a detach. */
#define CALL_MS 38000

/* Notes of resources (hotplug/common/resources.sh). */
#define KEY_OWN "rules"
#define KEY_SHARED "shared rules"
#define KEY_INDEX "ifindex"

/* One run. */
struct run {
	const struct repair *repair;
	struct repair locked;
	int lock;
	char **shared; /* the kinds of shared rules that were looked at */
	size_t shared_count, shared_room;
	bool failed;
};

/* What the journal of an interface says. */
struct entry {
	struct device device;
	const char *suffix; /* "" or JOURNAL_EMULATED */
	struct journal_head head;
	struct journal journal;
	const char *own, *shared; /* its rules; NULL: it has none */
	unsigned index;		  /* of the interface, or 0 */
};

void repair_add_device(struct repair *repair, const struct device *device)
{
	for (size_t i = 0; i < repair->device_count; i++)
		if (device_equal(&repair->devices[i], device))
			return;
	struct device *devices = array_room(
		repair->devices, repair->device_count, &repair->device_room, sizeof(*devices));
	repair->all |= !devices;
	if (!devices)
		return;
	repair->devices = devices;
	devices[repair->device_count++] = *device;
}

void repair_add_link(struct repair *repair, unsigned index)
{
	for (size_t i = 0; i < repair->link_count; i++)
		if (repair->links[i] == index)
			return;
	unsigned *links =
		array_room(repair->links, repair->link_count, &repair->link_room, sizeof(*links));
	repair->all |= !links;
	if (!links)
		return;
	repair->links = links;
	links[repair->link_count++] = index;
}

bool repair_is_empty(const struct repair *repair)
{
	return !repair->all && !repair->shared && !repair->device_count && !repair->link_count;
}

void repair_free(struct repair *repair)
{
	free(repair->devices);
	free(repair->links);
	*repair = (struct repair){.all = false};
}

static const char *note(const struct journal *journal, const char *key)
{
	const char *value = journal_latest(journal, key);

	return value && *value ? value : NULL;
}

/* Reads the journal of entry->device. Result: whether its rules may be for an interface. */
static bool read_entry(struct entry *entry)
{
	char path[JOURNAL_PATH_SIZE], name[IF_NAMESIZE];

	journal_path(path, &entry->device, entry->suffix);
	if (!journal_read(path, &entry->journal))
		return false;
	journal_head_parse(entry->journal.bytes, entry->journal.length, &entry->head);
	entry->own = note(&entry->journal, KEY_OWN);
	entry->shared = note(&entry->journal, KEY_SHARED);
	const char *index = note(&entry->journal, KEY_INDEX);
	if (!index || !parse_unsigned(index, INT_MAX, &entry->index))
		entry->index = 0;
	return journal_is_current(&entry->head) && (entry->own || entry->shared) &&
	       (!entry->index || if_indextoname(entry->index, name));
}

/* Whether the rules of this kind, which guests share, are as they should be by now. */
static bool is_restored(const struct run *run, const char *kind)
{
	for (size_t i = 0; i < run->shared_count; i++)
		if (!strcmp(run->shared[i], kind))
			return true;
	return false;
}

/* Without memory, the next device of the kind is repaired, too. */
static void note_restored(struct run *run, const char *kind)
{
	char **kinds =
		array_room(run->shared, run->shared_count, &run->shared_room, sizeof(*kinds));
	if (!kinds)
		return;
	run->shared = kinds;
	kinds[run->shared_count] = strdup(kind);
	run->shared_count += kinds[run->shared_count] != NULL;
}

/*
 * Whether it shares rules of a kind that is not restored yet. Each of its resources may note one.
 * With `restored`, its kinds are restored from now on.
 */
static bool has_missing_kind(struct run *run, const struct entry *entry, bool restored)
{
	const char *at = entry->journal.bytes, *end = at + entry->journal.length;
	struct record record;
	bool missing = false;

	while (journal_next(&at, end, &record))
		for (size_t i = 0; !strcmp(record.word, "note") && i + 1 < record.count; i += 2) {
			const char *kind = record_field(&record, i + 1);

			if (strcmp(record_field(&record, i), KEY_SHARED) != 0 || !*kind ||
				is_restored(run, kind))
				continue;
			missing = true;
			if (restored)
				note_restored(run, kind);
		}
	return missing;
}

static bool is_meant(struct run *run, const struct entry *entry)
{
	const struct repair *repair = run->repair;

	for (size_t i = 0; i < repair->device_count; i++)
		if (device_equal(&repair->devices[i], &entry->device))
			return true;
	for (size_t i = 0; i < repair->link_count; i++)
		if (repair->links[i] == entry->index)
			return true;
	if (repair->all && entry->own)
		return true;
	return (repair->all || repair->shared) && has_missing_kind(run, entry, false);
}

/* Whether a script works on the device. If none does, none will before this returns. */
static bool is_locked(const struct run *run, const struct device *device)
{
	char text[DEVICE_TEXT_SIZE];

	if (!lock_try(run->lock, device_text(device, text)))
		return true;
	lock_drop(run->lock, text);
	return false;
}

/* Starts its script. Result: whether all is as it should be; if not, *sentence. */
static bool call_script(const struct entry *entry, char sentence[RECORDED_SENTENCE_SIZE])
{
	char script[PATH_MAX];
	char *argv[] = {
		SELF, "call", script, "repair", *entry->suffix ? "type_if=tap" : NULL, NULL};
	struct supervised result;
	sigset_t signals;

	if (!recorded_find(&entry->head, script, sentence))
		return false;
	recorded_export(&entry->device);
	/* It prints what it does, behind what this process has printed. */
	fflush(stdout);
	sigprocmask(SIG_BLOCK, NULL, &signals);
	supervise(argv, NULL, 0, CALL_MS, &result);
	/* It blocks those that end it. */
	sigprocmask(SIG_SETMASK, &signals, NULL);
	/* Daemons of former calls that have ended since. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (result.end == SUPERVISED_STOPPED)
		supervise_end_by(result.signal);
	if (result.end == SUPERVISED_ENDED && !result.status)
		return true;
	recorded_sentence(&result, sentence);
	return false;
}

static void repair_entry(struct run *run, struct entry *entry)
{
	char text[DEVICE_TEXT_SIZE], sentence[RECORDED_SENTENCE_SIZE];

	if (!read_entry(entry) || !is_meant(run, entry))
		return;
	if (is_locked(run, &entry->device)) {
		repair_add_device(&run->locked, &entry->device);
		return;
	}
	if (call_script(entry, sentence)) {
		has_missing_kind(run, entry, true);
		return;
	}
	journal_free(&entry->journal);
	/* It may have been detached in the meantime. */
	if (!read_entry(entry))
		return;
	run->failed = true;
	complain(STATUS_FAILED, "The rules of %s are not restored: %s",
		device_text(&entry->device, text), sentence);
}

static void repair_journal(struct run *run, const char *name)
{
	struct entry entry = {.suffix = strstr(name, JOURNAL_EMULATED) ? JOURNAL_EMULATED : ""};

	if (!journal_name_parse(name, &entry.device) || strcmp(entry.device.type, "vif") != 0)
		return;
	repair_entry(run, &entry);
	journal_free(&entry.journal);
}

/* For each journal. The directory may change while it is read. */
static void repair_journals(struct run *run)
{
	DIR *directory = opendir(JOURNAL_DIRECTORY);

	if (!directory)
		return;
	for (struct dirent *file; (file = readdir(directory));)
		repair_journal(run, file->d_name);
	closedir(directory);
}

bool repair_run(struct repair *repair)
{
	struct run run = {
		.repair = repair, .lock = open(LOCK_FILE, O_RDWR | O_NOFOLLOW | O_CLOEXEC)};

	/* Without a lock file, nothing was attached. */
	bool none = run.lock < 0 && errno == ENOENT;
	if (run.lock < 0 && !none)
		complain(STATUS_FAILED, "Cannot open " LOCK_FILE " (%s); run this as root.",
			strerror(errno));
	if (run.lock < 0) {
		repair_free(repair);
		return none;
	}
	repair_journals(&run);
	close(run.lock);
	for (size_t i = 0; i < run.shared_count; i++)
		free(run.shared[i]);
	free(run.shared);
	repair_free(repair);
	*repair = run.locked;
	return !run.failed;
}
