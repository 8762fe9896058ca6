/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a device's script says of each of its resources. */
#include "devices/verdicts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervise.h"

#define SELF "/proc/self/exe"
/* libxl's patience with a script (LIBXL_HOTPLUG_TIMEOUT). */
#define CHECK_MS 40000
/* More than all resources of a device need. */
#define MOST_TEXT (1 << 20)

const char *verdict_words(enum verdict verdict)
{
	static const char *const words[] = {
		[VERDICT_OK] = "ok",
		[VERDICT_BROKEN] = "broken",
		[VERDICT_NOT_CHECKED] = "not checked",
	};

	return words[verdict];
}

static void parse_line(char *line, struct verdicts *verdicts)
{
	static const enum verdict all[] = {VERDICT_OK, VERDICT_BROKEN, VERDICT_NOT_CHECKED};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *words = verdict_words(all[i]);
		size_t length = strlen(words);

		if (strncmp(line, words, length) != 0 || line[length] != ' ')
			continue;
		char *resource = line + length + strspn(line + length, " ");
		char *colon = strstr(resource, ": ");
		if (colon)
			*colon = '\0';
		verdicts->all[verdicts->count++] = (struct resource_verdict){
			.verdict = all[i],
			.resource = resource,
			.reason = colon ? colon + 2 : "",
		};
		return;
	}
}

void verdicts_parse(char *text, struct verdicts *verdicts)
{
	for (char *line; verdicts->count < MOST_VERDICTS && (line = strsep(&text, "\n"));)
		parse_line(line, verdicts);
}

/* Runs the command with a file in memory as its standard output. Result: that file, or -1. */
static int run_into_file(char *argv[], struct supervised *result)
{
	int file = memfd_create("xen-hotplug check", MFD_CLOEXEC);
	int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	sigset_t signals;

	fflush(stdout);
	sigprocmask(SIG_BLOCK, NULL, &signals);
	if (file >= 0 && output >= 0 && dup2(file, STDOUT_FILENO) >= 0) {
		supervise(argv, NULL, 0, CHECK_MS, result);
		dup2(output, STDOUT_FILENO);
		/* It has blocked those that end it. */
		sigprocmask(SIG_SETMASK, &signals, NULL);
		if (result->end == SUPERVISED_STOPPED)
			supervise_end_by(result->signal);
	} else {
		*result = (struct supervised){.end = SUPERVISED_BROKEN, .error = errno};
	}
	if (output >= 0)
		close(output);
	return file;
}

/* Result: the file's text, which the caller frees, or NULL. */
static char *read_text(int file)
{
	struct stat st;

	if (file < 0 || fstat(file, &st) || st.st_size > MOST_TEXT)
		return NULL;
	char *text = calloc(1, (size_t)st.st_size + 1);
	if (text && pread(file, text, (size_t)st.st_size, 0) != st.st_size)
		text[0] = '\0';
	return text;
}

/* The last line on standard error is the script's sentence. */
static void take_sentence(const struct supervised *result, struct verdicts *verdicts)
{
	size_t end = result->error_length, start;

	while (end && result->errors[end - 1] == '\n')
		end--;
	for (start = end; start && result->errors[start - 1] != '\n'; start--)
		;
	escape(verdicts->sentence, SENTENCE_LIMIT, result->errors + start, end - start,
		ESCAPE_TEXT);
	if (end)
		return;
	if (result->end == SUPERVISED_LATE)
		snprintf(verdicts->sentence, SENTENCE_LIMIT,
			"Its check was not done within %d s; see what it waits for.",
			CHECK_MS / 1000);
	else if (result->end != SUPERVISED_ENDED || result->status)
		snprintf(verdicts->sentence, SENTENCE_LIMIT,
			"Its check ended with status %d and said nothing about why.",
			result->status);
}

static void ask(const struct entry *entry, struct verdicts *verdicts)
{
	char script[PATH_MAX], text[DEVICE_TEXT_SIZE], path[sizeof("backend/") + sizeof(text)];
	char *argv[] = {
		SELF, "call", script, "check", entry->emulated ? "type_if=tap" : NULL, NULL};
	struct supervised result;

	if (!recorded_find(&entry->head, script, verdicts->sentence))
		return;
	snprintf(path, sizeof(path), "backend/%s", device_text(&entry->device, text));
	setenv("XENBUS_PATH", path, 1);
	int file = run_into_file(argv, &result);
	verdicts->text = read_text(file);
	if (file >= 0)
		close(file);
	if (verdicts->text)
		verdicts_parse(verdicts->text, verdicts);
	verdicts->ended = result.end == SUPERVISED_ENDED && verdicts->count &&
			  (!result.status || result.status == 1);
	take_sentence(&result, verdicts);
}

/* Whether its script can judge it now. */
static bool is_checkable(const struct entry *entry, const struct judgement *judgement)
{
	return entry->journalled && !entry->locked && !entry->journal_error &&
	       entry->nodes[NODE_SELF] &&
	       (judgement->state == STATE_OK || judgement->state == STATE_BROKEN);
}

/* Joins what its script says with what was known without that. */
static void join(const struct verdicts *verdicts, struct judgement *judgement)
{
	size_t broken = 0;

	for (size_t i = 0; i < verdicts->count; i++)
		broken += verdicts->all[i].verdict == VERDICT_BROKEN;
	if (judgement->state == STATE_OK && (broken || !verdicts->ended))
		judgement->state = STATE_BROKEN;
	if (*judgement->reason || judgement->state == STATE_OK || broken)
		return;
	/* Without its full stop, as all reasons. */
	size_t length = strlen(verdicts->sentence);
	if (length && verdicts->sentence[length - 1] == '.')
		length--;
	snprintf(judgement->reason, sizeof(judgement->reason), "%.*s", (int)length,
		verdicts->sentence);
}

void verdicts_judge(
	const struct entry *entry, struct judgement *judgement, struct verdicts *verdicts)
{
	*verdicts = (struct verdicts){.text = NULL};
	state_judge(entry, judgement);
	if (!is_checkable(entry, judgement))
		return;
	ask(entry, verdicts);
	join(verdicts, judgement);
}

void verdicts_free(struct verdicts *verdicts)
{
	free(verdicts->text);
	*verdicts = (struct verdicts){.text = NULL};
}
