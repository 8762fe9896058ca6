/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug wait: until a node of the store holds a value, or is gone. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "deadline.h"
#include "message.h"
#include "output.h"
#include "status.h"
#include "store.h"

/* How much later than our own deadline the one for a store that does not answer comes. */
#define GRACE_MS 250
#define WATCH_TOKEN "xen-hotplug"

struct waiting {
	const char *node;
	char **values; /* any of these; none: whatever it holds */
	int value_count;
	bool gone;
	unsigned deadline_ms;
};

/* What the node held when it was last looked at. */
struct seen {
	char *value; /* NULL: there was no node */
	size_t length;
};

static bool is_awaited(const struct waiting *waiting, const struct seen *seen)
{
	if (waiting->gone || !seen->value)
		return waiting->gone && !seen->value;
	for (int i = 0; i < waiting->value_count; i++)
		if (!strcmp(waiting->values[i], seen->value))
			return true;
	return !waiting->value_count;
}

static int look(struct store *store, const struct waiting *waiting, struct seen *seen)
{
	free(seen->value);
	*seen = (struct seen){NULL, 0};
	if (store_read(store, XBT_NULL, waiting->node, &seen->value, &seen->length) != STORE_ERROR)
		return STATUS_DONE;
	if (store_is_broken(errno))
		return store_complain_broken(errno);
	return complain(STATUS_FAILED,
		"Cannot read the node %s in the store (%s); see its permissions with 'xenstore-ls"
		" -p'.",
		QUOTED(waiting->node), store_reason(errno));
}

static int complain_late(const struct waiting *waiting, const struct seen *seen)
{
	char awaited[3 * QUOTE_LIMIT] = "any value";
	size_t used = 0;

	if (waiting->gone)
		snprintf(awaited, sizeof(awaited), "that it goes");
	for (int i = 0; i < waiting->value_count && used < sizeof(awaited) - 1; i++) {
		int n = snprintf(awaited + used, sizeof(awaited) - used, "%s%s", i ? " or " : "",
			QUOTED(waiting->values[i]));

		used = n < 0 ? sizeof(awaited) : used + (size_t)n;
	}
	return complain(STATUS_LATE,
		"The node %s %s%s after %g s, and awaited was %s; see what should have changed it.",
		QUOTED(waiting->node), seen->value ? "still holds " : "is still absent",
		seen->value ? QUOTED(seen->value) : "", waiting->deadline_ms / 1000.0, awaited);
}

/* Takes the events that are there, so that poll() waits for new ones. */
static int drain(struct store *store)
{
	char **event;

	errno = 0;
	while ((event = xs_check_watch(store->xs)))
		free(event);
	if (errno && errno != EAGAIN)
		return store_complain_broken(errno);
	return STATUS_DONE;
}

/* Until an event of the watch. Result: STATUS_LATE without a complaint at the end of the time. */
static int await_event(struct store *store, long long end)
{
	struct pollfd events[] = {
		{.fd = xs_fileno(store->xs), .events = POLLIN},
		/* The library's reader takes the data; here only the end of the connection counts.
		 */
		{.fd = store->socket, .events = POLLRDHUP},
	};

	for (;;) {
		long long left = end - now_ms();

		if (left <= 0)
			return STATUS_LATE;
		int n = poll(events, sizeof(events) / sizeof(events[0]), (int)left);
		if (n < 0 && errno != EINTR)
			return store_complain_broken(errno);
		if (n > 0 && events[1].revents)
			return store_complain_broken(EPIPE);
		if (n > 0)
			return drain(store);
	}
}

static int wait_for(struct store *store, const struct waiting *waiting, struct seen *seen)
{
	long long end = now_ms() + waiting->deadline_ms;
	int status = store_open(store);

	if (status)
		return status;
	errno = 0;
	if (!xs_watch(store->xs, waiting->node, WATCH_TOKEN))
		return store_is_broken(errno ? errno : EPROTO)
			       ? store_complain_broken(errno ? errno : EPROTO)
			       : complain(STATUS_FAILED, "Cannot watch the node %s (%s).",
					 QUOTED(waiting->node), strerror(errno));
	for (;;) {
		status = look(store, waiting, seen);
		if (status || is_awaited(waiting, seen))
			return status;
		status = await_event(store, end);
		if (status == STATUS_LATE)
			return complain_late(waiting, seen);
		if (status)
			return status;
	}
}

static int wait_and_print(const struct waiting *waiting)
{
	struct store store = STORE_CLOSED;
	struct seen seen = {NULL, 0};
	struct output out = {0};

	deadline_store(waiting->deadline_ms + GRACE_MS);
	int status = wait_for(&store, waiting, &seen);

	if (!status && seen.value)
		output_value(&out, 0, seen.value, seen.length);
	if (!status)
		status = output_flush(&out);
	free(seen.value);
	output_free(&out);
	store_close(&store);
	return status;
}

static int run_wait(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"deadline", required_argument, NULL, 'd'},
		{"gone", no_argument, NULL, 'g'},
		OPTION_HELP,
	};
	struct waiting waiting = {.deadline_ms = 0};

	for (int option; (option = next_option(command, argc, argv, options)) != -1;) {
		if (option == 'g')
			waiting.gone = true;
		else
			waiting.deadline_ms = option_seconds(command, "--deadline", optarg);
	}
	if (!waiting.deadline_ms)
		return usage_error(command, "'wait' needs --deadline");
	if (optind >= argc || !argv[optind][0])
		return usage_error(command, "'wait' needs a node");
	waiting.node = argv[optind];
	waiting.values = argv + optind + 1;
	waiting.value_count = argc - optind - 1;
	if (waiting.gone && waiting.value_count)
		return usage_error(command, "'wait --gone' takes no values");
	return wait_and_print(&waiting);
}

const struct command command_wait = {
	.name = "wait",
	.usage = "--deadline SECONDS [--gone] NODE [VALUE...]",
	.summary = "waits until a node of the store holds a value, or is gone",
	.help = "\n"
		"Waits, by a watch, until NODE exists and, where there are VALUEs, equals\n"
		"one of them; prints what it holds, as one field. A NODE without a leading\n"
		"slash is relative to the caller's home in the store.\n"
		"\n"
		"  --deadline SECONDS  give up after so long (exit status 5)\n"
		"  --gone              wait until there is no such node\n",
	.run = run_wait,
};
