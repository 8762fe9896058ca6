/* SPDX-License-Identifier: LGPL-2.1-only */
/* Many store reads in few round trips. */
#include "bulk.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <xen/io/xs_wire.h>

#include "status.h"

/*
 * Requests pending at once. All of them fit into a socket's buffer: otherwise xenstored could block
 * on its first reply and this program on its last request.
 */
#define WINDOW 64
#define WINDOW_BYTES 16384

struct wire {
	int fd;
	uint32_t type;
	size_t start, end; /* bytes received and not yet consumed */
	char received[16384];
	char sending[WINDOW_BYTES];
};

/* The requests [first, next), whose replies are pending. */
struct window {
	size_t first, next;
	size_t bytes;
	bool too_long; /* the path of request `next` does not fit */
};

static bool send_all(struct wire *wire, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = send(wire->fd, wire->sending + done, length - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool receive(struct wire *wire, void *to, size_t length)
{
	char *next = to;

	while (length) {
		size_t there = wire->end - wire->start;
		size_t taken = there < length ? there : length;

		memcpy(next, wire->received + wire->start, taken);
		wire->start += taken;
		next += taken;
		length -= taken;
		if (!length)
			break;
		ssize_t n = recv(wire->fd, wire->received, sizeof(wire->received), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : EPIPE;
			return false;
		}
		wire->start = 0;
		wire->end = (size_t)n;
	}
	return true;
}

/* The errno of an error's name. */
static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (!strcmp(xsd_errors[i].errstring, name))
			return xsd_errors[i].errnum;
	return EINVAL;
}

/* Collects the requests that are sent at once. */
static void fill_window(struct wire *wire, const struct bulk *bulk, struct window *window)
{
	*window = (struct window){.first = window->next, .next = window->next};
	while (window->next < bulk->count && window->next - window->first < WINDOW) {
		struct xsd_sockmsg header = {
			.type = wire->type,
			.req_id = (uint32_t)window->next,
		};
		char path[STORE_PATH_SIZE];

		window->too_long = !bulk->path(bulk->context, window->next, path);
		if (window->too_long)
			return;
		header.len = (uint32_t)strlen(path) + 1;
		if (window->bytes + sizeof(header) + header.len > sizeof(wire->sending))
			return;
		memcpy(wire->sending + window->bytes, &header, sizeof(header));
		memcpy(wire->sending + window->bytes + sizeof(header), path, header.len);
		window->bytes += sizeof(header) + header.len;
		window->next++;
	}
}

/* Receives one reply. Result: as bulk_ask(). */
static int take_answer(struct wire *wire, const struct bulk *bulk, size_t index)
{
	struct xsd_sockmsg header;
	char data[XENSTORE_PAYLOAD_MAX + 1];
	int error = 0;

	if (!receive(wire, &header, sizeof(header)))
		return store_complain_broken(errno);
	if (header.len > XENSTORE_PAYLOAD_MAX || header.req_id != (uint32_t)index ||
		(header.type != wire->type && header.type != XS_ERROR))
		return store_complain_broken(EPROTO);
	if (!receive(wire, data, header.len))
		return store_complain_broken(errno);
	data[header.len] = '\0';
	if (header.type == XS_ERROR)
		error = error_number(data);
	if (error && store_is_broken(error))
		return store_complain_broken(error);
	return error ? bulk->answer(bulk->context, index, error, "", 0)
		     : bulk->answer(bulk->context, index, 0, data, header.len);
}

static int ask_ahead(struct store *store, const struct bulk *bulk)
{
	struct wire wire = {
		.fd = store->socket,
		.type = bulk->kind == BULK_READ ? XS_READ : XS_DIRECTORY,
	};
	struct window window = {.next = 0};
	int status = STATUS_DONE;

	while (!status && window.next < bulk->count) {
		fill_window(&wire, bulk, &window);
		if (!send_all(&wire, window.bytes))
			return store_complain_broken(errno);
		for (size_t i = window.first; i < window.next && !status; i++)
			status = take_answer(&wire, bulk, i);
		if (!status && window.too_long)
			status = bulk->answer(bulk->context, window.next++, ENAMETOOLONG, "", 0);
	}
	return status;
}

/* The names in the format of a reply. Result: NULL if memory ran out. */
static char *join_names(char **names, unsigned count, size_t *length)
{
	char *joined, *to;

	*length = 0;
	for (unsigned i = 0; i < count; i++)
		*length += strlen(names[i]) + 1;
	joined = to = malloc(*length + 1);
	if (!joined)
		return NULL;
	for (unsigned i = 0; i < count; i++)
		to = stpcpy(to, names[i]) + 1;
	*to = '\0';
	return joined;
}

static char *list_one(struct store *store, const char *path, size_t *length)
{
	unsigned count = 0;
	char **names = xs_directory(store->xs, XBT_NULL, path, &count);
	char *joined = names ? join_names(names, count, length) : NULL;

	free(names);
	return joined;
}

static char *read_one(struct store *store, const char *path, size_t *length)
{
	unsigned bytes = 0;
	char *value = xs_read(store->xs, XBT_NULL, path, &bytes);

	*length = bytes;
	return value;
}

static int ask_one(struct store *store, const struct bulk *bulk, size_t index)
{
	char path[STORE_PATH_SIZE];
	size_t length = 0;

	if (!bulk->path(bulk->context, index, path))
		return bulk->answer(bulk->context, index, ENAMETOOLONG, "", 0);
	errno = 0;
	char *data = bulk->kind == BULK_READ ? read_one(store, path, &length)
					     : list_one(store, path, &length);
	int error = data ? 0 : errno ? errno : EPROTO;
	int status = store_is_broken(error)
			     ? store_complain_broken(error)
			     : bulk->answer(bulk->context, index, error, data ? data : "", length);
	free(data);
	return status;
}

int bulk_ask(struct store *store, const struct bulk *bulk)
{
	int status = STATUS_DONE;

	if (store->socket >= 0)
		return ask_ahead(store, bulk);
	for (size_t i = 0; i < bulk->count && !status; i++)
		status = ask_one(store, bulk, i);
	return status;
}
