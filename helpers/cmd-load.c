/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug load: takes locks, then reads many nodes over one connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "deadline.h"
#include "lock.h"
#include "message.h"
#include "output.h"
#include "status.h"
#include "store.h"

#define MOST_LOCKS 16
#define MOST_DESCRIPTOR 1048576

struct load {
	struct lock locks[MOST_LOCKS];
	size_t lock_count;
	unsigned wait_ms, deadline_ms;
};

static int parse_lock(const struct command *command, const char *text, struct load *load)
{
	unsigned long long fd;
	const char *end;

	if (load->lock_count == MOST_LOCKS)
		return usage_error(command, "There are more than %d locks", MOST_LOCKS);
	if (!parse_number(text, MOST_DESCRIPTOR, &fd, &end) || *end != ':' || !end[1])
		return usage_error(
			command, "The option --lock needs FD:NAME, not %s", QUOTED(text));
	load->locks[load->lock_count++] = (struct lock){.fd = (int)fd, .name = end + 1};
	return STATUS_DONE;
}

/* Reads one node into one field. Result: STATUS_DONE unless the connection broke. */
static int load_key(struct store *store, const char *base, const char *key, struct output *out)
{
	char path[STORE_PATH_SIZE];
	char *value;
	size_t length;

	if (!store_path(path, base, key)) {
		output_field(out, "!%s", "the path is too long");
		return STATUS_DONE;
	}
	switch (store_read(store, XBT_NULL, path, &value, &length)) {
	case STORE_VALUE:
		output_value(out, '=', value, length);
		free(value);
		break;
	case STORE_NONE:
		output_field(out, "-");
		break;
	case STORE_ERROR:
		if (store_is_broken(errno))
			return store_complain_broken(errno);
		output_field(out, "!%s", store_reason(errno));
		break;
	}
	return STATUS_DONE;
}

static int load_all(const char *base, char *keys[], int count)
{
	struct store store = STORE_CLOSED;
	struct output out = {0};
	int status = store_open(&store);

	for (int i = 0; i < count && !status; i++)
		status = load_key(&store, base, keys[i], &out);
	if (!status)
		status = output_flush(&out);
	output_free(&out);
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

	if (load.lock_count)
		status = lock_take(load.locks, load.lock_count, load.wait_ms);
	if (status)
		return status;
	deadline_store(load.deadline_ms);
	return load_all(argv[optind], argv + optind + 1, argc - optind - 1);
}

const struct command command_load = {
	.name = "load",
	.usage = "[--lock FD:NAME]... [--wait SECONDS] [--deadline SECONDS] BASE KEY...",
	.summary = "takes locks, then reads many nodes of the store",
	.help = "\n"
		"Prints one field for each KEY, which is relative to BASE unless it begins with a\n"
		"slash: '=VALUE', '-' where the node is absent, '!REASON' where it cannot be read.\n"
		"\n"
		"  --lock FD:NAME      first take the lock NAME, in the file open as descriptor FD,\n"
		"                      which holds it until its last copy is closed\n"
		"  --wait SECONDS      wait so long for all the locks (15)\n"
		"  --deadline SECONDS  give the store so long to answer (10)\n",
	.run = run_load,
};
