/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a script declares, checked against the nodes of a device. */
#include "accept.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands before the name of a script for disks, and not in a target. */
#define SCRIPT_PREFIX "block-"
/* How an emulated interface is called, and how long its name may be. */
#define EMULATED "-emu"
#define INTERFACE_MOST 15

/* Xen's nodes (xen.git, docs/misc/xenstore-paths.pandoc); blkback's and netback's states. */
static const char *const interface_nodes[] = {
	"frontend-id", "state", "vifname", "mac", "mtu", "hotplug-error"};
static const char *const disk_nodes[] = {
	"frontend-id", "state", "params", "mode", "node", "hotplug-error"};
#define CLOSING "5"
#define CLOSED "6"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *value_of(const struct declared *declared, const char *name)
{
	for (size_t i = 0; i < declared->node_count; i++)
		if (!strcmp(declared->nodes[i].name, name))
			return declared->nodes[i].value;
	return NULL;
}

/* The same, or "" where it is absent. */
static const char *text_of(const struct declared *declared, const char *name)
{
	const char *value = value_of(declared, name);

	return value ? value : "";
}

static void add_node(struct declared *declared, const char *name)
{
	declared->nodes[declared->node_count++] = (struct node){.name = name};
}

bool declared_parse(struct declared *declared, char *words[], size_t count)
{
	declared->parameter_count = count / PARAMETER_WORDS;
	declared->parameters = calloc(declared->parameter_count + 1, sizeof(*declared->parameters));
	declared->nodes = calloc(declared->parameter_count + MOST_NODES, sizeof(*declared->nodes));
	if (!declared->parameters || !declared->nodes)
		return false;
	for (size_t i = 0; i < declared->parameter_count; i++, words += PARAMETER_WORDS)
		declared->parameters[i] = (struct parameter){.name = words[0],
			.type = words[1],
			.fallback = words[2][0] ? words[2] + 1 : NULL};
	if (!declared->interface)
		add_node(declared, !strcmp(declared->device.type, "vbd") ? "physical-device"
									 : "physical-device-path");
	for (size_t i = 0; i < COUNT(disk_nodes); i++)
		add_node(declared, declared->interface ? interface_nodes[i] : disk_nodes[i]);
	for (size_t i = 0; declared->interface && i < declared->parameter_count; i++)
		add_node(declared, declared->parameters[i].name);
	return true;
}

void declared_free(struct declared *declared)
{
	for (size_t i = 0; i < declared->node_count; i++)
		free(declared->nodes[i].value);
	free(declared->nodes);
	free(declared->parameters);
}

const char *parameter_title(const char *name, char title[TITLE_SIZE])
{
	if (!strcmp(name, PARAMETER_TARGET))
		snprintf(title, TITLE_SIZE, "The target");
	else
		snprintf(title, TITLE_SIZE, "Parameter %s", name);
	return title;
}

/* Checks a value. Result: false with the sentence `refusal`. */
static bool check(const char *what, const char *type, const char *value, char refusal[REFUSAL_SIZE])
{
	char expected[EXPECTED_SIZE];

	if (type_accepts(type, value, expected))
		return true;
	snprintf(refusal, REFUSAL_SIZE,
		"%s is %s, which is not %s; correct the guest's configuration.", what,
		QUOTED(value), expected);
	return false;
}

/* Whether the device is there to stay. */
static bool check_state(
	const struct declared *declared, const char *node, char refusal[REFUSAL_SIZE])
{
	const char *what = declared->interface ? "interface" : "disk",
		   *state = text_of(declared, "state");
	char id[DEVICE_TEXT_SIZE];

	if (!value_of(declared, node))
		snprintf(refusal, REFUSAL_SIZE,
			"The node %s/%s does not exist, so there is no such %s; it may just have "
			"been "
			"detached, so attach it again.",
			declared->base, node, what);
	else if (!declared->may_go && (!strcmp(state, CLOSING) || !strcmp(state, CLOSED)))
		snprintf(refusal, REFUSAL_SIZE,
			"The %s %s is being detached (state %s), so it was not attached.", what,
			device_text(&declared->device, id), state);
	return !refusal[0];
}

/* The tap of an interface with a vifname is called like that, with -emu. */
static bool check_tap_name(const char *name, char refusal[REFUSAL_SIZE])
{
	if (strlen(name) <= INTERFACE_MOST - strlen(EMULATED))
		return true;
	snprintf(refusal, REFUSAL_SIZE,
		"The vifname %s is too long for a guest with an emulated interface; use %zu bytes "
		"or "
		"fewer, because %s" EMULATED " must fit into %d.",
		QUOTED(name), INTERFACE_MOST - strlen(EMULATED), name, INTERFACE_MOST);
	return false;
}

static bool check_interface(const struct declared *declared, char refusal[REFUSAL_SIZE])
{
	const char *name = text_of(declared, "vifname"), *mac = text_of(declared, "mac"),
		   *mtu = text_of(declared, "mtu");

	return check_state(declared, "frontend-id", refusal) &&
	       check("The name of the interface", "ifname", declared->interface, refusal) &&
	       (!*name || check("The vifname", "ifname", name, refusal)) &&
	       (!*mac || check("The MAC address", "mac", mac, refusal)) &&
	       (!*mtu || check("The MTU", "mtu", mtu, refusal)) &&
	       (!declared->is_tap || check_tap_name(name, refusal));
}

static bool check_disk(const struct declared *declared, char refusal[REFUSAL_SIZE])
{
	return check_state(declared, "params", refusal) &&
	       check("The access mode", "mode", text_of(declared, "mode"), refusal);
}

/* Adds a variable. Result: false if memory ran out. */
__attribute__((format(printf, 4, 5))) static bool put(
	struct accepted *accepted, const char *name, bool unchecked, const char *format, ...)
{
	struct variable *variable = &accepted->variables[accepted->count];
	va_list arguments;

	va_start(arguments, format);
	int length = vasprintf(&variable->value, format, arguments);
	va_end(arguments);
	if (length < 0)
		return false;
	variable->name = name;
	variable->unchecked = unchecked;
	accepted->count++;
	return true;
}

static bool put_interface(const struct declared *declared, struct accepted *accepted)
{
	const char *name = text_of(declared, "vifname");

	return put(accepted, "vifname", false, "%s%s", name,
		       declared->is_tap && *name ? EMULATED : "") &&
	       put(accepted, "mac", false, "%s", text_of(declared, "mac")) &&
	       put(accepted, "mtu", false, "%s", text_of(declared, "mtu"));
}

static bool put_disk(const struct declared *declared, struct accepted *accepted)
{
	const char *mode = text_of(declared, "mode");

	return put(accepted, "mode", false, "%s%s", strchr(mode, 'w') ? "w" : "r",
		strchr(mode, '!') ? "!" : "");
}

/*
 * Checks the value of a parameter, or takes the default where none is given. Result: false if
 * memory ran out; where the value is not accepted, the sentence is set.
 */
static bool put_parameter(
	const struct parameter *parameter, const char *value, struct accepted *accepted)
{
	bool known = type_is_known(parameter->type);
	char title[TITLE_SIZE];

	parameter_title(parameter->name, title);
	if (!value && !parameter->fallback && !accepted->parameters[0])
		snprintf(accepted->parameters, REFUSAL_SIZE,
			"%s is missing; add it to the guest's configuration.", title);
	if (accepted->parameters[0])
		return true;
	if (!value)
		return put(accepted, parameter->name, false, "%s", parameter->fallback);
	if (known && !check(title, parameter->type, value, accepted->parameters))
		return true;
	return put(accepted, parameter->name, !known, "%s", value);
}

/* Each is a node of the backend; an empty one counts as not given. */
static bool put_nodes(const struct declared *declared, struct accepted *accepted)
{
	for (size_t i = 0; i < declared->parameter_count; i++) {
		const char *value = value_of(declared, declared->parameters[i].name);

		if (!put_parameter(
			    &declared->parameters[i], value && *value ? value : NULL, accepted))
			return false;
	}
	return true;
}

/* The value for a parameter in NAME=VALUE,NAME=VALUE, whose pairs are cut apart; or NULL. */
static const char *given(char *const pairs[], size_t count, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < count; i++)
		if (!strncmp(pairs[i], name, length) && pairs[i][length] == '=')
			return pairs[i] + length + 1;
	return NULL;
}

static bool is_declared(const struct declared *declared, const char *name, size_t length)
{
	for (size_t i = 0; i < declared->parameter_count; i++)
		if (strlen(declared->parameters[i].name) == length &&
			!strncmp(declared->parameters[i].name, name, length))
			return true;
	return false;
}

/* "a, b, c" */
static void list_parameters(const struct declared *declared, char list[EXPECTED_SIZE])
{
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; i < declared->parameter_count && used < EXPECTED_SIZE; i++)
		used += (size_t)snprintf(list + used, EXPECTED_SIZE - used, "%s%s", i ? ", " : "",
			declared->parameters[i].name);
}

/* Refuses a pair that no parameter takes, or that a pair before it has. */
static bool check_pair(const struct declared *declared, char *const pairs[], size_t index,
	char refusal[REFUSAL_SIZE])
{
	const char *pair = pairs[index];
	size_t length = strcspn(pair, "=");
	char known[EXPECTED_SIZE], name[QUOTE_LIMIT];

	list_parameters(declared, known);
	snprintf(name, sizeof(name), "%.*s", (int)length, pair);
	if (!is_declared(declared, pair, length))
		snprintf(refusal, REFUSAL_SIZE,
			"The target has %s, but this disk's parameters are %s; correct the guest's "
			"configuration.",
			QUOTED(pair), known);
	else if (!pair[length])
		snprintf(refusal, REFUSAL_SIZE,
			"The target has %s without a value; write %s=VALUE.", QUOTED(pair), name);
	else if (given(pairs, index, name))
		snprintf(refusal, REFUSAL_SIZE,
			"The target gives the parameter %s twice; leave one.", name);
	return !refusal[0];
}

/* The target is a list of parameters. Changes `target`. */
static bool put_list(const struct declared *declared, char *target, struct accepted *accepted)
{
	size_t most = 1, count = 0;
	bool done = true;

	for (const char *at = target; *at; at++)
		most += *at == ',';
	char **pairs = calloc(most, sizeof(*pairs));
	if (!pairs)
		return false;
	for (char *rest = target; rest && *rest;) {
		pairs[count] = strsep(&rest, ",");
		if (!check_pair(declared, pairs, count++, accepted->parameters))
			break;
	}
	for (size_t i = 0; done && i < declared->parameter_count; i++)
		done = put_parameter(&declared->parameters[i],
			given(pairs, count, declared->parameters[i].name), accepted);
	free(pairs);
	return done;
}

/* The target is one value, or a list of parameters. */
static bool put_target(const struct declared *declared, struct accepted *accepted)
{
	const char *target = text_of(declared, "params"), *script = declared->script;
	size_t prefix = strlen(SCRIPT_PREFIX);

	/* Some versions of xl keep the prefix that selected the script. */
	script += strncmp(script, SCRIPT_PREFIX, prefix) ? 0 : prefix;
	if (!strncmp(target, script, strlen(script)) && target[strlen(script)] == ':')
		target += strlen(script) + 1;
	if (declared->parameter_count == 1 &&
		!strcmp(declared->parameters[0].name, PARAMETER_TARGET))
		return put_parameter(&declared->parameters[0], target, accepted);
	char *copy = strdup(target);
	bool done = copy && put_list(declared, copy, accepted);
	free(copy);
	return done;
}

bool accept_declared(const struct declared *declared, struct accepted *accepted)
{
	accepted->variables =
		calloc(declared->parameter_count + MOST_NODES, sizeof(*accepted->variables));
	if (!accepted->variables)
		return false;
	if (declared->interface)
		return !check_interface(declared, accepted->device) ||
		       (put_interface(declared, accepted) && put_nodes(declared, accepted));
	return !check_disk(declared, accepted->device) ||
	       (put_disk(declared, accepted) && put_target(declared, accepted));
}

void accepted_free(struct accepted *accepted)
{
	for (size_t i = 0; i < accepted->count; i++)
		free(accepted->variables[i].value);
	free(accepted->variables);
}
