/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a call is for: the device that XENBUS_PATH names, and the verb among the arguments. */
#include "arguments.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

#define HOME "/local/domain/"
#define BACKEND "backend/"
#define TYPE_IF "type_if="

/* A disk is added and removed (xen.git, docs/misc/block-scripts.txt). */
static const char *const disk_verbs[][2] = {{"add", "attach"}, {"remove", "detach"}};

/*
 * A vif goes online and offline, and a tap is added and removed (xen.git,
 * tools/libs/light/libxl_linux.c); the other pair, which a driver domain's udev may call, is
 * ignored.
 */
static const char *const vif_verbs[][2] = {
	{"online", "attach"}, {"offline", "detach"}, {"add", "none"}, {"remove", "none"}};
static const char *const tap_verbs[][2] = {
	{"add", "attach"}, {"remove", "detach"}, {"online", "none"}, {"offline", "none"}};

static const char *const person_verbs[][2] = {{"check", "check"}, {"repair", "repair"},
	{"plan", "plan"}, {"help", "help"}, {"--help", "help"}, {"-h", "help"}};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *find(const char *const table[][2], size_t count, const char *verb)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table[i][0], verb))
			return table[i][1];
	return "";
}

static const char *find_action(const struct arguments *arguments)
{
	const char *verb = arguments->verb, *type_if = arguments->type_if;
	const char *action = find(person_verbs, COUNT(person_verbs), verb);
	bool tap = !strcmp(type_if, "tap");

	if (!strcmp(action, "help"))
		return action;
	if (!strcmp(arguments->device.type, "vif")) {
		if (!tap && strcmp(type_if, "vif") != 0)
			return "";
		return *action ? action
		       : tap   ? find(tap_verbs, COUNT(tap_verbs), verb)
			       : find(vif_verbs, COUNT(vif_verbs), verb);
	}
	return *action ? action : find(disk_verbs, COUNT(disk_verbs), verb);
}

/* Whether the text is a number without needless zeros, up to a slash or the end. */
static bool is_plain(const char *text)
{
	return text[0] != '0' || !text[1] || text[1] == '/';
}

static bool parse_path(const char *path, struct device *device)
{
	struct device parsed;
	unsigned long long domid;

	if (!strncmp(path, HOME, strlen(HOME))) {
		if (!parse_number(path + strlen(HOME), UINT32_MAX, &domid, &path) || *path++ != '/')
			return false;
	}
	if (strncmp(path, BACKEND, strlen(BACKEND)) != 0 ||
		!device_parse(path + strlen(BACKEND), &parsed))
		return false;
	const char *devid = strrchr(path, '/') + 1;
	if (!is_plain(devid) || !is_plain(path + strlen(BACKEND) + strlen(parsed.type) + 1))
		return false;
	*device = parsed;
	return true;
}

void arguments_parse(char *const words[], const char *path, struct arguments *arguments)
{
	*arguments = (struct arguments){.verb = "", .type_if = ""};
	for (; *words; words++) {
		if (!strncmp(*words, TYPE_IF, strlen(TYPE_IF)))
			arguments->type_if = *words + strlen(TYPE_IF);
		else if (!strchr(*words, '=') && !arguments->verb[0])
			arguments->verb = *words;
	}
	if (path)
		parse_path(path, &arguments->device);
	if (!arguments->type_if[0] && !strcmp(arguments->device.type, "vif"))
		arguments->type_if = "vif";
	arguments->action = find_action(arguments);
}

bool arguments_only_ask(const struct arguments *arguments)
{
	return !strcmp(arguments->action, "check") || !strcmp(arguments->action, "plan") ||
	       !strcmp(arguments->action, "help");
}

bool arguments_by_person(const struct arguments *arguments)
{
	return arguments_only_ask(arguments) || !strcmp(arguments->action, "repair");
}

bool arguments_parse_tap(const char *name, struct device *device)
{
	char text[DEVICE_TEXT_SIZE];
	int length = 0;

	if (sscanf(name, "vif%*5[0-9].%*10[0-9]-emu%n", &length) < 0 || !length || name[length])
		return false;
	snprintf(text, sizeof(text), "vif/%.*s", length - (int)strlen("vif-emu"),
		name + strlen("vif"));
	char *dot = strchr(text, '.');
	if (!dot)
		return false;
	*dot = '/';
	return device_parse(text, device);
}
