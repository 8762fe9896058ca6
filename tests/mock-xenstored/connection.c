/* SPDX-License-Identifier: LGPL-2.1-only */
/* Connections of clients: their input, their output, their life. */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "request.h"

/* A client that does not read its answers is not served any more, and in the end closed. */
#define OUTPUT_PAUSE ((size_t)1 << 20)
#define OUTPUT_LIMIT ((size_t)64 << 20)

void connection_kill(struct connection *connection)
{
	if (connection->dead)
		return;
	connection->dead = true;
	if (connection->delayed)
		connection->server->delayed_count--;
	connection->delayed = false;
	verb_reset(connection);
	buf_free(&connection->output);
	close(connection->source.fd);
}

static bool is_stuck(const struct connection *connection)
{
	return buf_length(&connection->output) >= OUTPUT_PAUSE;
}

/* Tells the loop which events are of interest now. */
static void update_events(struct connection *connection)
{
	size_t waiting = buf_length(&connection->output);
	struct epoll_event event = {.data.ptr = &connection->source};

	if (!connection->closing && !connection->delayed && !is_stuck(connection))
		event.events |= EPOLLIN;
	if (waiting)
		event.events |= EPOLLOUT;
	if (event.events == connection->events)
		return;
	connection->events = event.events;
	epoll_ctl(connection->server->epoll_fd, EPOLL_CTL_MOD, connection->source.fd, &event);
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

void connection_flush(struct connection *connection)
{
	struct buf *output = &connection->output;
	size_t waiting = buf_length(output);

	if (connection->dead)
		return;
	if (waiting) {
		ssize_t sent = send(connection->source.fd, output->data + output->start, waiting,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && !would_block()) {
			connection_kill(connection);
			return;
		}
		if (sent > 0)
			buf_take(output, (size_t)sent);
	}
	waiting = buf_length(output);
	if (waiting > OUTPUT_LIMIT || (connection->closing && !waiting)) {
		connection_kill(connection);
		return;
	}
	update_events(connection);
}

/* Serves the complete messages that have come in, and keeps the rest for later. */
static void serve_input(struct connection *connection)
{
	size_t done = 0;

	while (!connection->closing && !is_stuck(connection)) {
		const unsigned char *message = connection->input + done;
		size_t left = connection->input_length - done;
		struct xsd_sockmsg header;

		if (left < sizeof(header))
			break;
		memcpy(&header, message, sizeof(header));
		if (header.len > XENSTORE_PAYLOAD_MAX) {
			connection->closing = true;
			break;
		}
		if (left < sizeof(header) + header.len)
			break;
		if (!request_serve(connection, &header, (const char *)message + sizeof(header)))
			break;
		done += sizeof(header) + header.len;
	}
	connection->input_length -= done;
	if (done && connection->input_length)
		memmove(connection->input, connection->input + done, connection->input_length);
}

/*
 * Serves and answers. What had to wait for the client to take its answers is served when it has
 * taken them: at once, or when the loop finds that it has.
 */
static void serve(struct connection *connection)
{
	bool stuck;

	do {
		serve_input(connection);
		stuck = is_stuck(connection);
		connection_flush(connection);
	} while (stuck && !connection->dead && !connection->delayed && !is_stuck(connection));
}

static void read_input(struct connection *connection)
{
	size_t room = sizeof(connection->input) - connection->input_length;
	ssize_t length;

	/* Full only while messages wait for the client to take the answers of earlier ones. */
	if (!room)
		return;
	length = recv(connection->source.fd, connection->input + connection->input_length, room,
		MSG_DONTWAIT);
	if (length > 0) {
		connection->input_length += (size_t)length;
		return;
	}
	if (length < 0 && would_block())
		return;
	connection->closing = true;
}

void connection_handle(struct connection *connection, uint32_t events)
{
	if (connection->dead)
		return;
	if (connection->events & events & EPOLLIN) {
		read_input(connection);
	} else if (events & (EPOLLERR | EPOLLHUP)) {
		connection_kill(connection);
		return;
	}
	if (connection->delayed)
		connection_flush(connection);
	else
		serve(connection);
}

void connection_resume(struct connection *connection)
{
	connection->delayed = false;
	connection->has_waited = true;
	connection->server->delayed_count--;
	serve(connection);
}

void connection_accept(struct server *server, const struct listener *listener)
{
	int fd = accept4(listener->source.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *connection;
	struct epoll_event event;

	if (fd < 0)
		return;
	connection = alloc_zeroed(sizeof(*connection));
	connection->source = (struct source){.kind = SOURCE_CONNECTION, .fd = fd};
	connection->server = server;
	connection->number = ++server->connection_count;
	connection->domid = listener->domid;
	connection->events = EPOLLIN;
	event = (struct epoll_event){.events = EPOLLIN, .data.ptr = &connection->source};
	connection->next = server->connections;
	server->connections = connection;
	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		connection_kill(connection);
}

void connection_send(
	struct connection *connection, const struct xsd_sockmsg *header, const void *payload)
{
	buf_add(&connection->output, header, sizeof(*header));
	buf_add(&connection->output, payload, header->len);
}

void connection_send_event(struct connection *connection, const char *path, const char *token)
{
	size_t path_room = strlen(path) + 1;
	size_t token_room = strlen(token) + 1;
	struct xsd_sockmsg header = {
		.type = XS_WATCH_EVENT,
		.len = (uint32_t)(path_room + token_room),
	};

	/* A message this long would break the protocol: the client has to do without it. */
	if (path_room + token_room > XENSTORE_PAYLOAD_MAX || connection->closing)
		return;
	buf_add(&connection->output, &header, sizeof(header));
	buf_add(&connection->output, path, path_room);
	buf_add(&connection->output, token, token_room);
}
