/* SPDX-License-Identifier: LGPL-2.1-only */
/* Releases what is left of a device whose backend directory is gone. */
#include "stale.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "deadline.h"
#include "disk/backend.h"
#include "journal.h"
#include "lock.h"
#include "recorded.h"

#define SELF "/proc/self/exe"
#define LOCK_FILE JOURNAL_DIRECTORY "/lock"
/* What looks at a loop device, such as udev, closes it within this time. */
#define CLOSE_MS 2000
#define CLOSE_PAUSE_NS 20000000

static enum stale call_script(
	const char *script, const char *suffix, unsigned ms, char sentence[STALE_SENTENCE_SIZE])
{
	char seconds[24];
	char *argv[] = {SELF, "call", "--stale", seconds, (char *)script, "collect",
		strcmp(suffix, JOURNAL_EMULATED) != 0 ? NULL : "type_if=tap", NULL};
	struct supervised result;

	if (ms < STALE_LEAST_MS) {
		snprintf(sentence, SENTENCE_LIMIT,
			"Its script was not started, because the %g s that are left are too short.",
			ms / 1000.0);
		return STALE_FAILED;
	}
	snprintf(seconds, sizeof(seconds), "%u.%03u", ms / 1000, ms % 1000);
	supervise(argv, NULL, 0, ms, &result);
	if (result.end == SUPERVISED_ENDED)
		switch (result.status) {
		case STALE_RELEASED:
		case STALE_ALIVE:
		case STALE_SERVED:
		case STALE_LOCKED:
			return (enum stale)result.status;
		default:
			break;
		}
	if (result.end == SUPERVISED_LATE)
		snprintf(sentence, SENTENCE_LIMIT,
			"Its script was not done within %g s; see what it waits for.", ms / 1000.0);
	else
		recorded_sentence(&result, sentence);
	return STALE_FAILED;
}

enum stale stale_release(
	const struct device *device, unsigned ms, char sentence[STALE_SENTENCE_SIZE])
{
	static const char *const suffixes[] = {"", JOURNAL_EMULATED};
	long long end = now_ms() + deadline_within(ms);
	enum stale stale = STALE_RELEASED;
	struct journal_head head;
	char script[PATH_MAX];

	recorded_export(device);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]) && !stale; i++) {
		long long left = end - now_ms();

		if (!journal_head_read(device, suffixes[i], &head) && errno == ENOENT)
			continue;
		if (!recorded_find(&head, script, sentence))
			return STALE_FAILED;
		stale = call_script(script, suffixes[i], left > 0 ? (unsigned)left : 1, sentence);
	}
	return stale;
}

static bool has_journal(const struct device *device)
{
	struct journal_head head;

	return journal_head_read(device, "", &head) || errno != ENOENT;
}

/* Detaches it, and waits a little for its last close. Result: whether it is gone. */
static bool detach(const struct loop *loop, char sentence[STALE_SENTENCE_SIZE])
{
	const struct timespec pause = {.tv_nsec = CLOSE_PAUSE_NS};
	long long end = now_ms() + CLOSE_MS;
	struct loop_info64 info;
	bool detached;

	if (loop_detach(loop, &detached)) {
		snprintf(sentence, SENTENCE_LIMIT, "The kernel refuses to detach %s.", loop->path);
		return false;
	}
	while (loop_status(loop->number, &info) &&
		!memcmp(info.lo_file_name, loop->info.lo_file_name, LO_NAME_SIZE)) {
		if (now_ms() >= end) {
			snprintf(sentence, SENTENCE_LIMIT,
				"The loop device %s is still open, so nobody else gets its file "
				"until it is closed; find the user with 'lsof %s'.",
				loop->path, loop->path);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

enum stale stale_judge(struct store *store, const char *base, const struct device *device,
	char sentence[STALE_SENTENCE_SIZE])
{
	switch (backend_find(store, base, device)) {
	case BACKEND_NODES:
		return STALE_ALIVE;
	case BACKEND_KERNEL:
		return STALE_SERVED;
	case BACKEND_GONE:
		return STALE_RELEASED;
	case BACKEND_UNKNOWN:
		break;
	}
	snprintf(sentence, SENTENCE_LIMIT, "Its backend directory cannot be read (%s).",
		strerror(errno));
	return STALE_FAILED;
}

enum stale stale_release_loop(const struct loop *loop, const char *base, struct store *store,
	char sentence[STALE_SENTENCE_SIZE])
{
	const struct device *device = &loop->tag.device;
	char text[DEVICE_TEXT_SIZE];
	enum stale stale;
	int fd;

	mkdir(JOURNAL_DIRECTORY, 0700);
	fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		snprintf(sentence, SENTENCE_LIMIT,
			"Cannot open " LOCK_FILE " (%s); see whether its file system is full or "
			"read-only.",
			strerror(errno));
		return STALE_FAILED;
	}
	/* One that has a journal now is being attached. */
	stale = lock_try(fd, device_text(device, text)) && !has_journal(device)
			? stale_judge(store, base, device, sentence)
			: STALE_LOCKED;
	if (stale == STALE_RELEASED && !detach(loop, sentence))
		stale = STALE_FAILED;
	close(fd);
	return stale;
}
