/* SPDX-License-Identifier: LGPL-2.1-only */
/* Faults that tests order: TYPE[:GLOB]@N[+]=ACTION, on the command line or in a control file. */
#include "fault.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "number.h"
#include "wire.h"

static const struct {
	const char *name;
	enum fault_kind kind;
	bool carries_out;
} kinds[] = {
	{"hang", FAULT_HANG, false},
	{"drop", FAULT_DROP, false},
	{"drop-after", FAULT_DROP_AFTER, true},
	{"garbage", FAULT_GARBAGE, false},
	{"badtype", FAULT_BADTYPE, true},
	{"badid", FAULT_BADID, true},
	{"oversize", FAULT_OVERSIZE, false},
	{"short", FAULT_SHORT, true},
	{"empty", FAULT_EMPTY, true},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static bool parse_action(struct fault_action *action, const char *text)
{
	static const char delay[] = "delay:";
	uint64_t milliseconds;
	int error = wire_error_number(text);

	if (error) {
		action->kind = FAULT_ERROR;
		action->argument = (uint32_t)error;
		return true;
	}
	if (strncmp(text, delay, sizeof(delay) - 1) == 0) {
		if (!number_parse(&milliseconds, text + sizeof(delay) - 1, UINT32_MAX))
			return false;
		action->kind = FAULT_DELAY;
		action->argument = (uint32_t)milliseconds;
		return true;
	}
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (strcmp(kinds[i].name, text) == 0) {
			action->kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

static bool parse_type(struct fault *fault, const char *name, size_t length)
{
	fault->type = -1;
	if (length == strlen("any") && strncmp(name, "any", length) == 0)
		return true;
	fault->type = wire_type_number(name, length);
	return fault->type >= 0;
}

/* Parses N[+]; ends the text at the plus sign. */
static bool parse_count(struct fault *fault, char *text)
{
	size_t length = strlen(text);

	if (length && text[length - 1] == '+') {
		fault->and_later = true;
		text[length - 1] = '\0';
	}
	return number_parse(&fault->nth, text, UINT64_MAX) && fault->nth > 0;
}

/* Takes `spec` apart in place. The action is behind the last =, and N behind the last @. */
static bool parse(struct fault *fault, char *spec)
{
	char *action = strrchr(spec, '=');
	char *count;
	char *glob;

	if (!action)
		return false;
	*action++ = '\0';
	count = strrchr(spec, '@');
	if (!count)
		return false;
	*count++ = '\0';
	glob = strchrnul(spec, ':');
	if (!parse_type(fault, spec, (size_t)(glob - spec)) || !parse_count(fault, count) ||
		!parse_action(&fault->action, action))
		return false;
	if (*glob)
		fault->glob = alloc_string(glob + 1, strlen(glob + 1));
	fault->action_name = alloc_string(action, strlen(action));
	fault->action.name = fault->action_name;
	return true;
}

bool fault_add(struct fault_list *faults, const char *spec)
{
	struct fault fault = {0};
	char *copy = alloc_string(spec, strlen(spec));
	bool valid = parse(&fault, copy);

	free(copy);
	if (!valid)
		return false;
	faults->list =
		alloc_grow(faults->list, faults->count, &faults->capacity, sizeof(faults->list[0]));
	faults->list[faults->count++] = fault;
	return true;
}

static void free_list(struct fault_list *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		free(faults->list[i].glob);
		free(faults->list[i].action_name);
	}
	free(faults->list);
	memset(faults, 0, sizeof(*faults));
}

static bool is_same(const struct fault_stamp *a, const struct fault_stamp *b)
{
	return a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static void read_file(struct faults *faults, fault_complain *complain, void *context)
{
	FILE *file = fopen(faults->file, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (!file)
		return;
	while ((length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] == '\n')
			line[--length] = '\0';
		if (length == 0 || line[0] == '#')
			continue;
		if (!fault_add(&faults->ordered, line))
			complain(context, line);
	}
	free(line);
	fclose(file);
}

void faults_refresh(struct faults *faults, fault_complain *complain, void *context)
{
	struct fault_stamp stamp = {0};
	struct stat status;

	if (!faults->file)
		return;
	if (stat(faults->file, &status) == 0) {
		stamp.inode = status.st_ino;
		stamp.size = status.st_size;
		stamp.changed = status.st_mtim;
	}
	if (is_same(&stamp, &faults->stamp))
		return;
	faults->stamp = stamp;
	free_list(&faults->ordered);
	read_file(faults, complain, context);
}

static bool applies(const struct fault *fault, uint32_t type, const char *path)
{
	if (fault->type >= 0 && (uint32_t)fault->type != type)
		return false;
	return !fault->glob || fnmatch(fault->glob, path, 0) == 0;
}

/* Every fault counts every request that matches it, also when another fault is what happens. */
static void match_list(
	struct fault_list *faults, uint32_t type, const char *path, struct fault_action *action)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->list[i];

		if (!applies(fault, type, path))
			continue;
		fault->seen++;
		if (action->kind != FAULT_NONE)
			continue;
		if (fault->seen == fault->nth || (fault->and_later && fault->seen > fault->nth))
			*action = fault->action;
	}
}

struct fault_action faults_match(struct faults *faults, uint32_t type, const char *path)
{
	struct fault_action action = {.kind = FAULT_NONE};

	match_list(&faults->fixed, type, path, &action);
	match_list(&faults->ordered, type, path, &action);
	return action;
}

bool fault_carries_out(enum fault_kind kind)
{
	if (kind == FAULT_NONE || kind == FAULT_DELAY)
		return true;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (kinds[i].kind == kind)
			return kinds[i].carries_out;
	}
	return false;
}

void faults_free(struct faults *faults)
{
	free_list(&faults->fixed);
	free_list(&faults->ordered);
}
