/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug load: reads many nodes over one connection. */
#include <errno.h>
#include <string.h>

#include "bulk.h"
#include "command.h"
#include "deadline.h"
#include "message.h"
#include "output.h"
#include "status.h"
#include "store.h"

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
		{"deadline", required_argument, NULL, 'd'},
		OPTION_HELP,
	};
	unsigned deadline_ms = DEADLINE_DEFAULT;

	while (next_option(command, argc, argv, options) != -1)
		deadline_ms = option_seconds(command, "--deadline", optarg);
	if (argc - optind < 2)
		return usage_error(command, "'load' needs a base and at least one key");
	for (int i = optind + 1; i < argc; i++)
		if (!argv[i][0])
			return usage_error(command, "A key is empty");

	deadline_store(deadline_ms);
	return load_all(argv[optind], argv + optind + 1, argc - optind - 1);
}

const struct command command_load = {
	.name = "load",
	.usage = "[--deadline SECONDS] BASE KEY...",
	.summary = "reads many nodes of the store",
	.help = "\n"
		"Prints one field for each KEY, which is relative to BASE unless it begins\n"
		"with a slash: '=VALUE', '-' where the node is absent, '!REASON' where it\n"
		"cannot be read.\n"
		"\n"
		"  --deadline SECONDS  give the store so long to answer (10)\n",
	.run = run_load,
};
