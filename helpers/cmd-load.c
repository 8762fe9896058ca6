/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug load: takes a lock, then reads many nodes over one connection. */
#include <errno.h>
#include <string.h>

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

struct load {
	struct lock lock; /* without a name: none */
	unsigned wait_ms, deadline_ms;
};

static int parse_lock(const struct command *command, const char *text, struct load *load)
{
	unsigned long long fd;
	const char *end;

	if (!parse_number(text, MOST_DESCRIPTOR, &fd, &end) || *end != ':' || !end[1])
		return usage_error(
			command, "The option --lock needs FD:NAME, not %s", QUOTED(text));
	load->lock = (struct lock){.fd = (int)fd, .name = end + 1};
	return STATUS_DONE;
}

/* What the answers to the keys become fields of. */
struct reading {
	const char *base;
	char **keys;
	struct output out;
};

static bool key_path(void *context, size_t index, char *path)
{
	const struct reading *reading = context;

	return store_path(path, reading->base, reading->keys[index]);
}

static int put_answer(void *context, size_t index, int error, const char *data, size_t length)
{
	struct reading *reading = context;

	(void)index;
	if (!error && memchr(data, '\0', length))
		error = EILSEQ;
	if (!error)
		output_value(&reading->out, '=', data, length);
	else if (error == ENOENT)
		output_field(&reading->out, "-");
	else
		output_field(&reading->out, "!%s", store_reason(error));
	return STATUS_DONE;
}

static int load_all(const char *base, char *keys[], int count)
{
	struct reading reading = {.base = base, .keys = keys};
	const struct bulk bulk = {
		.kind = BULK_READ,
		.count = (size_t)count,
		.context = &reading,
		.path = key_path,
		.answer = put_answer,
	};
	struct store store = STORE_CLOSED;
	int status = store_open(&store);

	if (!status)
		status = bulk_ask(&store, &bulk);
	if (!status)
		status = output_flush(&reading.out);
	output_free(&reading.out);
	store_close(&store);
	return status;
}

static int run_load(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"lock", required_argument, NULL, 'l'},
		{"wait", required_argument, NULL, 'w'},
		{"deadline", required_argument, NULL, 'd'},
		OPTION_HELP,
	};
	struct load load = {.wait_ms = LOCK_WAIT_DEFAULT, .deadline_ms = DEADLINE_DEFAULT};
	int status = STATUS_DONE;

	for (int option; !status && (option = next_option(command, argc, argv, options)) != -1;) {
		if (option == 'l')
			status = parse_lock(command, optarg, &load);
		else if (option == 'w')
			load.wait_ms = option_seconds(command, "--wait", optarg);
		else
			load.deadline_ms = option_seconds(command, "--deadline", optarg);
	}
	if (status)
		return status;
	if (argc - optind < 2)
		return usage_error(command, "'load' needs a base and at least one key");
	for (int i = optind + 1; i < argc; i++)
		if (!argv[i][0])
			return usage_error(command, "A key is empty");

	if (load.lock.name && lock_take(&load.lock, 1, load.wait_ms))
		return STATUS_LOCKED;
	deadline_store(load.deadline_ms);
	return load_all(argv[optind], argv + optind + 1, argc - optind - 1);
}

const struct command command_load = {
	.name = "load",
	.usage = "[--lock FD:NAME] [--wait SECONDS] [--deadline SECONDS] BASE KEY...",
	.summary = "takes a lock, then reads many nodes of the store",
	.help = "\n"
		"Prints one field for each KEY, which is relative to BASE unless it begins\n"
		"with a slash: '=VALUE', '-' where the node is absent, '!REASON' where it\n"
		"cannot be read.\n"
		"\n"
		"  --lock FD:NAME      first take the lock NAME, in the file open as descriptor "
		"FD,\n"
		"                      which holds it until its last copy is closed\n"
		"  --wait SECONDS      wait so long for the lock (15); exit status 6 without it\n"
		"  --deadline SECONDS  give the store so long to answer (10)\n",
	.run = run_load,
};
