/* SPDX-License-Identifier: LGPL-2.1-only */
/* The script that a journal names, started again for its device. */
#include "recorded.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust.h"

#define SELF "/proc/self/exe"
/* The script of a device that has none, in a directory of the framework. */
#define STRAY "common/stray.sh"

/* The path of STRAY: in the directory of this program if it is installed, else in its checkout. */
static bool find_stray(char path[PATH_MAX])
{
	static const char *const places[] = {"", "../hotplug/"};
	char self[PATH_MAX];
	ssize_t length = readlink(SELF, self, sizeof(self) - 1);

	if (length < 0)
		return false;
	self[length] = '\0';
	const char *directory = dirname(self);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int written = snprintf(path, PATH_MAX, "%s/%s" STRAY, directory, places[i]);

		if (written > 0 && written < PATH_MAX && !access(path, R_OK))
			return true;
	}
	return false;
}

/* Says why the script of a journal is not started. */
static void tell_trust(enum trust trust, const char *script, char sentence[RECORDED_SENTENCE_SIZE])
{
	const char *why = "can be changed or replaced by others than root; correct the owners and "
			  "modes on its path ('namei -l')";

	if (trust == TRUST_PATH)
		why = "is no absolute path without '..'; release the device by its script's right "
		      "path";
	else if (trust == TRUST_KIND)
		why = "is no regular file; install the script there again";
	snprintf(sentence, SENTENCE_LIMIT, "Its script %s is not started, because it %s.",
		QUOTED(script), why);
}

bool recorded_find(const struct journal_head *head, char script[PATH_MAX],
	char sentence[RECORDED_SENTENCE_SIZE])
{
	char stray[PATH_MAX];

	if (!find_stray(stray)) {
		snprintf(sentence, SENTENCE_LIMIT,
			"There is no " STRAY "; install xen-hotplug again.");
		return false;
	}
	enum trust trust = head->script[0] ? trust_examine(head->script, stray) : TRUST_ABSENT;
	if (trust != TRUST_GIVEN && trust != TRUST_ABSENT) {
		tell_trust(trust, head->script, sentence);
		return false;
	}
	snprintf(script, PATH_MAX, "%s", trust == TRUST_GIVEN ? head->script : stray);
	return true;
}

void recorded_export(const struct device *device)
{
	char path[sizeof("backend/") + DEVICE_TEXT_SIZE], text[DEVICE_TEXT_SIZE];

	snprintf(path, sizeof(path), "backend/%s", device_text(device, text));
	setenv("XENBUS_PATH", path, 1);
}

void recorded_sentence(const struct supervised *result, char sentence[RECORDED_SENTENCE_SIZE])
{
	size_t end = result->error_length, start;

	while (end && result->errors[end - 1] == '\n')
		end--;
	for (start = end; start && result->errors[start - 1] != '\n'; start--)
		;
	escape(sentence, SENTENCE_LIMIT, result->errors + start, end - start, ESCAPE_TEXT);
	if (!end)
		snprintf(sentence, SENTENCE_LIMIT,
			"Its script ended with status %d and said nothing about why.",
			result->status);
}
