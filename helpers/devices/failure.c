/* SPDX-License-Identifier: LGPL-2.1-only */
/* The last failure in the log. */
#include "devices/failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "array.h"
#include "devices/name.h"
#include "log.h"

static void failure_free(struct failure *failure)
{
	for (size_t i = 0; i < failure->count; i++)
		free(failure->lines[i]);
	free(failure->lines);
	free(failure->sentence);
	free(failure->what);
	free(failure->guest);
	*failure = (struct failure){.time = 0};
}

/* Finds the verb and the device in "SCRIPT: VERB of DEVICE failed." Result: whether it is that. */
static bool parse_what(const char *line, char verb[32], struct device *device)
{
	char text[DEVICE_TEXT_SIZE + 16];
	int length = 0;
	const char *rest = strstr(line, ": ");

	if (!rest || sscanf(rest, ": %31s of %40s failed.%n", verb, text, &length) < 2 || !length)
		return false;
	if (!device_parse(text, device))
		*device = (struct device){.type = ""};
	return true;
}

/* A person who asks changes nothing: what a check found is no failure of a device. */
static bool is_change(const char *verb)
{
	return strcmp(verb, "check") != 0 && strcmp(verb, "plan") != 0 && strcmp(verb, "help") != 0;
}

static bool is_wanted(const struct failure *failure, const char *wanted)
{
	char verb[32], name[VDEV_SIZE + 8];
	struct device device;

	if (!failure->what || !parse_what(failure->what, verb, &device) || !is_change(verb))
		return false;
	if (!wanted)
		return true;
	struct named named = {.device = &device, .guest = failure->guest, .name = name};
	if (!strcmp(device.type, "vif"))
		snprintf(name, sizeof(name), "vif%u.%u", device.domid, device.devid);
	else
		vdev_name(device.devid, name);
	return name_matches(wanted, &named);
}

/* Keeps the current failure if it is wanted. */
static void close_current(struct failure_search *search)
{
	if (!is_wanted(&search->current, search->wanted)) {
		failure_free(&search->current);
		return;
	}
	failure_free(&search->found);
	search->found = search->current;
	search->current = (struct failure){.time = 0};
}

static char *copy(struct failure_search *search, const char *text)
{
	char *copied = strdup(text);

	search->failed |= !copied;
	return copied;
}

static void add_line(struct failure_search *search, const char *line)
{
	struct failure *current = &search->current;
	char **lines =
		array_room(current->lines, current->count, &current->room, sizeof(*current->lines));

	search->failed |= !lines;
	if (!lines)
		return;
	current->lines = lines;
	lines[current->count] = copy(search, line);
	current->count += lines[current->count] != NULL;
}

void failure_take(void *context, const struct log_entry *entry)
{
	struct failure_search *search = context;
	struct failure *current = &search->current;
	char verb[32];
	struct device device;

	if (entry->priority == LOG_ERR) {
		close_current(search);
		current->sentence = copy(search, entry->line);
		current->time = entry->time;
	} else if (entry->priority != LOG_NOTICE || !current->sentence) {
		return;
	} else if (!strncmp(entry->line, LOG_GUEST, strlen(LOG_GUEST))) {
		free(current->guest);
		current->guest = copy(search, entry->line + strlen(LOG_GUEST));
	} else if (!current->what && parse_what(entry->line, verb, &device)) {
		current->what = copy(search, entry->line);
	} else {
		add_line(search, entry->line);
	}
}

const struct failure *failure_found(struct failure_search *search)
{
	close_current(search);
	return search->found.sentence ? &search->found : NULL;
}

void failure_search_free(struct failure_search *search)
{
	failure_free(&search->current);
	failure_free(&search->found);
}
