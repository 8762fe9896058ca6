/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug accept: locks a device, reads its nodes, and checks them and its parameters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "bulk.h"
#include "command.h"
#include "deadline.h"
#include "lock.h"
#include "message.h"
#include "number.h"
#include "output.h"
#include "status.h"
#include "store.h"

#define MOST_DESCRIPTOR 1048576

struct asked {
	struct declared declared;
	int lock; /* the lock file's descriptor, or -1 */
	unsigned wait_ms, deadline_ms;
};

static bool node_path(void *context, size_t index, char *path)
{
	const struct asked *asked = context;

	return store_path(path, asked->declared.base, asked->declared.nodes[index].name);
}

static int take_node(void *context, size_t index, int error, const char *data, size_t length)
{
	struct asked *asked = context;
	struct node *node = &asked->declared.nodes[index];

	if (!error && memchr(data, '\0', length))
		error = EILSEQ;
	if (error == ENOENT)
		return STATUS_DONE;
	if (error)
		return complain(STATUS_FAILED, "Cannot read the node %s/%s: %s.",
			asked->declared.base, node->name, store_reason(error));
	node->value = strdup(data);
	return node->value ? STATUS_DONE : complain_memory();
}

static int read_nodes(struct asked *asked)
{
	const struct bulk bulk = {
		.kind = BULK_READ,
		.count = asked->declared.node_count,
		.context = asked,
		.path = node_path,
		.answer = take_node,
	};
	struct store store = STORE_CLOSED;
	int status = store_open(&store);

	if (!status)
		status = bulk_ask(&store, &bulk);
	store_close(&store);
	return status;
}

/* What a sentence calls the variable, if the script has to check it. */
static void put_title(struct output *out, const struct variable *variable)
{
	char title[TITLE_SIZE];

	output_field(out, "%s", variable->unchecked ? parameter_title(variable->name, title) : "");
}

static int print(const struct declared *declared, const struct accepted *accepted)
{
	struct output out = {0};
	size_t there = 0;

	for (size_t i = 0; i < declared->node_count; i++)
		there += declared->nodes[i].value != NULL;
	output_field(&out, "%s", accepted->device);
	output_field(&out, "%s", accepted->parameters);
	output_field(&out, "%zu", 2 * there);
	for (size_t i = 0; i < declared->node_count; i++) {
		if (!declared->nodes[i].value)
			continue;
		output_field(&out, "%s", declared->nodes[i].name);
		output_field(&out, "%s", declared->nodes[i].value);
	}
	for (size_t i = 0; i < accepted->count; i++) {
		output_field(&out, "%s", accepted->variables[i].name);
		output_field(&out, "%s", accepted->variables[i].value);
		put_title(&out, &accepted->variables[i]);
	}
	int status = output_flush(&out);
	output_free(&out);
	return status;
}

/* Locks the device, and answers. */
static int answer(struct asked *asked)
{
	struct accepted accepted = {.count = 0};
	char name[DEVICE_TEXT_SIZE];
	struct lock lock = {.fd = asked->lock, .name = device_text(&asked->declared.device, name)};

	if (lock.fd >= 0 && lock_take(&lock, 1, asked->wait_ms))
		return STATUS_LOCKED;
	deadline_store(asked->deadline_ms);
	int status = read_nodes(asked);
	if (!status && !accept_declared(&asked->declared, &accepted))
		status = complain_memory();
	if (!status)
		status = print(&asked->declared, &accepted);
	accepted_free(&accepted);
	return status;
}

static int parse_descriptor(const struct command *command, const char *text, int *fd)
{
	unsigned number;

	if (!parse_unsigned(text, MOST_DESCRIPTOR, &number))
		return usage_error(command, "The option --lock needs a descriptor's number, not %s",
			QUOTED(text));
	*fd = (int)number;
	return STATUS_DONE;
}

static int parse_option(const struct command *command, int option, struct asked *asked)
{
	switch (option) {
	case 'd':
		option_device(command, optarg, &asked->declared.device);
		break;
	case 'l':
		return parse_descriptor(command, optarg, &asked->lock);
	case 'w':
		asked->wait_ms = option_seconds(command, "--wait", optarg);
		break;
	case 's':
		asked->declared.script = optarg;
		break;
	case 't':
		asked->declared.is_tap = true;
		asked->declared.interface = optarg;
		break;
	case 'v':
		asked->declared.interface = optarg;
		break;
	case 'g':
		asked->declared.may_go = true;
		break;
	default:
		asked->deadline_ms = option_seconds(command, "--deadline", optarg);
	}
	return STATUS_DONE;
}

static int run_accept(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"device", required_argument, NULL, 'd'},
		{"lock", required_argument, NULL, 'l'},
		{"wait", required_argument, NULL, 'w'},
		{"script", required_argument, NULL, 's'},
		{"vif", required_argument, NULL, 'v'},
		{"tap", required_argument, NULL, 't'},
		{"detach", no_argument, NULL, 'g'},
		{"deadline", required_argument, NULL, 'D'},
		OPTION_HELP,
	};
	struct asked asked = {.declared.script = "",
		.lock = -1,
		.wait_ms = LOCK_WAIT_DEFAULT,
		.deadline_ms = DEADLINE_DEFAULT};
	int status = STATUS_DONE;

	for (int option; !status && (option = next_option(command, argc, argv, options)) != -1;)
		status = parse_option(command, option, &asked);
	if (status)
		return status;
	if (argc == optind || (argc - optind - 1) % PARAMETER_WORDS ||
		!asked.declared.device.type[0])
		return usage_error(command, "'accept' needs --device, a base and whole parameters");
	asked.declared.base = argv[optind];
	if (!declared_parse(&asked.declared, argv + optind + 1, (size_t)(argc - optind - 1)))
		status = complain_memory();
	else
		status = answer(&asked);
	declared_free(&asked.declared);
	return status;
}

const struct command command_accept = {
	.name = "accept",
	.usage = "--device TYPE/DOMID/DEVID [OPTION...] BASE [NAME TYPE DEFAULT ABOUT]...",
	.summary = "locks a device, reads its nodes, and checks them and its parameters",
	.help = "\n"
		"Prints why the device is not accepted, why its parameters are not (both empty if\n"
		"they are), a number of fields, and as many fields: the name and value of each "
		"node\n"
		"that there is. Then three fields for each variable of the script: NAME, VALUE, "
		"and\n"
		"what a sentence calls it if the script has to check it, otherwise nothing.\n"
		"\n"
		"A parameter is given by four arguments; DEFAULT is empty, or =VALUE. The one "
		"that\n"
		"is called target is the whole target of a disk.\n"
		"\n"
		"  --lock FD           first lock the device, in the file open as descriptor FD\n"
		"  --wait SECONDS      wait so long for the lock (15); exit status 6 without it\n"
		"  --script NAME       the script's name, which a disk's target may begin with\n"
		"  --vif NAME          the kernel's name of the interface\n"
		"  --tap NAME          the same of an emulated interface\n"
		"  --detach            the device may be about to go\n"
		"  --deadline SECONDS  give the store so long to answer (10)\n",
	.run = run_accept,
};
