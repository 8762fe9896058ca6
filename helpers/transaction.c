/* SPDX-License-Identifier: LGPL-2.1-only */
/* Atomic changes to a device's nodes. */
#include "transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "deadline.h"
#include "message.h"
#include "status.h"

#define MOST_TRIES 50
#define MOST_MS 5000
#define LONGEST_PAUSE_MS 200

/* In addition to enum status: another transaction changed the same nodes; nothing was done. */
#define CONFLICT (-1)

bool item_parse(char *argument, struct item *item)
{
	*item = (struct item){.key = argument};
	if (argument[0] == '?') {
		item->optional = true;
		item->key++;
	}
	char *equals = strchr(argument, '=');
	if (equals) {
		*equals = '\0';
		item->value = equals + 1;
	}
	return item->key[0] != '\0';
}

/* Complains that `path` cannot be changed or read. */
static int complain_node(const char *verb, const char *path, int error)
{
	if (store_is_broken(error))
		return store_complain_broken(error);
	if (error == EACCES)
		return complain(STATUS_FAILED,
			"The store does not let this domain %s the node %s (%s); check the node's"
			" permissions with 'xenstore-ls -p'.",
			verb, QUOTED(path), strerror(error));
	if (error == E2BIG)
		return complain(STATUS_FAILED,
			"Cannot %s the node %s, because its path and value are longer than the "
			"store accepts; give a shorter value.",
			verb, QUOTED(path));
	return complain(STATUS_FAILED,
		"Cannot %s the node %s in the store (%s); look at xenstored's log.", verb,
		QUOTED(path), strerror(error));
}

static int apply_item(
	struct store *store, xs_transaction_t t, const char *base, const struct item *item)
{
	char path[STORE_PATH_SIZE];
	const char *verb = item->value ? "write" : "remove";

	if (!store_path(path, base, item->key))
		return complain_node(verb, item->key, E2BIG);
	errno = 0;
	if (item->value ? xs_write(store->xs, t, path, item->value, (unsigned)strlen(item->value))
			: xs_rm(store->xs, t, path))
		return STATUS_DONE;
	int error = errno ? errno : EPROTO;
	if (!item->value && error == ENOENT)
		return STATUS_DONE;
	if (item->optional && error == EACCES)
		return STATUS_DONE;
	return error == EAGAIN ? CONFLICT : complain_node(verb, path, error);
}

/* Result: STATUS_DONE if the device exists, STATUS_ABSENT if not, or STATUS_FAILED. */
static int find_device(struct store *store, xs_transaction_t t, const char *base)
{
	static const char *const nodes[] = {"frontend", "frontend-id"};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		char path[STORE_PATH_SIZE];
		char *value;
		size_t length;

		if (!store_path(path, base, nodes[i]))
			return complain_node("read", base, E2BIG);
		switch (store_read(store, t, path, &value, &length)) {
		case STORE_VALUE:
			free(value);
			return STATUS_DONE;
		case STORE_ERROR:
			return complain_node("read", path, errno);
		case STORE_NONE:
			break;
		}
	}
	return STATUS_ABSENT;
}

static int apply_all(struct store *store, xs_transaction_t t, const char *base,
	const struct item *items, size_t count)
{
	int status = find_device(store, t, base);

	for (size_t i = 0; i < count && !status; i++)
		status = apply_item(store, t, base, &items[i]);
	return status;
}

/* One attempt. Result: as transaction_apply(), or CONFLICT. */
static int attempt(struct store *store, const char *base, const struct item *items, size_t count)
{
	errno = 0;
	xs_transaction_t t = xs_transaction_start(store->xs);
	int error = errno ? errno : EPROTO;
	if (t == XBT_NULL && error == EAGAIN)
		return CONFLICT;
	if (t == XBT_NULL && store_is_broken(error))
		return store_complain_broken(error);
	if (t == XBT_NULL)
		return complain(STATUS_FAILED,
			"Cannot start a transaction in the store (%s); check xenstored's limit of"
			" open transactions.",
			strerror(error));

	int status = apply_all(store, t, base, items, count);
	if (status) {
		xs_transaction_end(store->xs, t, true);
		return status;
	}
	errno = 0;
	if (xs_transaction_end(store->xs, t, false))
		return STATUS_DONE;
	if (errno == EAGAIN)
		return CONFLICT;
	return complain_node("commit the changes to", base, errno ? errno : EPROTO);
}

static void pause_ms(unsigned ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&pause, NULL);
}

int transaction_apply(struct store *store, const char *base, const struct item *items, size_t count)
{
	long long end = now_ms() + MOST_MS;

	for (unsigned tries = 1;; tries++) {
		int status = attempt(store, base, items, count);

		if (status != CONFLICT)
			return status;
		if (tries >= MOST_TRIES || now_ms() >= end)
			return complain(STATUS_FAILED,
				"The changes to %s conflicted with other changes to the store %u "
				"times; find the program that keeps writing there (xenstore-watch"
				" /), then try again.",
				QUOTED(base), tries);
		/* The first retry is immediate, because most conflicts are over by then. */
		pause_ms(tries - 1 < LONGEST_PAUSE_MS ? tries - 1 : LONGEST_PAUSE_MS);
	}
}
