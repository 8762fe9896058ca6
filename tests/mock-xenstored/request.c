/* SPDX-License-Identifier: LGPL-2.1-only */
/* Serving a message: faults, the log, the answer, the watch events it causes. */
#include "request.h"

#include <string.h>
#include <time.h>

/* Long enough for every argument that can be valid. */
#define ARGUMENT_ROOM (XENSTORE_PAYLOAD_MAX + 1)

/* The request's first argument, as far as it is text. */
static void first_argument(char *out, const struct xsd_sockmsg *header, const char *body)
{
	size_t length = strnlen(body, header->len);

	memcpy(out, body, length);
	out[length] = '\0';
}

static void complain_about_fault(void *context, const char *spec)
{
	log_bad_fault(context, spec);
}

static struct fault_action look_for_fault(
	struct connection *connection, uint32_t type, const char *argument)
{
	struct server *server = connection->server;

	if (connection->has_waited)
		return (struct fault_action){.kind = FAULT_NONE};
	faults_refresh(&server->faults, complain_about_fault, &server->log);
	return faults_match(&server->faults, type, argument);
}

static void begin_delay(struct connection *connection, uint32_t milliseconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	connection->resume_at = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec +
				(uint64_t)milliseconds * 1000000u;
	connection->delayed = true;
	connection->server->delayed_count++;
}

static void log_result(
	const struct request *request, const char *argument, const struct fault_action *action)
{
	struct log_entry entry = {
		.connection = request->connection->number,
		.domid = request->connection->domid,
		.type = request->header->type,
		.transaction = request->header->tx_id,
		.path = argument,
		.fault = action->name,
		.error = request->error,
	};

	log_request(&request->server->log, &entry);
}

/* The same bytes in every run, and never the beginning of something valid. */
static void send_garbage(struct connection *connection)
{
	uint32_t state = 0x9e3779b9u;
	uint32_t noise[16];

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		noise[i] = state | 0x80000000u;
	}
	buf_add(&connection->output, noise, sizeof(noise));
}

static void send_half(
	struct connection *connection, const struct xsd_sockmsg *header, const void *payload)
{
	struct buf *output = &connection->output;
	size_t before = buf_length(output);

	connection_send(connection, header, payload);
	output->end -= (buf_length(output) - before) / 2;
	connection->closing = true;
}

static void send_answer(struct connection *connection, struct xsd_sockmsg *header,
	const void *payload, enum fault_kind kind)
{
	switch (kind) {
	case FAULT_NONE:
	case FAULT_DELAY:
	case FAULT_ERROR:
		break;
	case FAULT_HANG:
		return;
	case FAULT_DROP:
	case FAULT_DROP_AFTER:
		connection->closing = true;
		return;
	case FAULT_GARBAGE:
		send_garbage(connection);
		return;
	case FAULT_SHORT:
		send_half(connection, header, payload);
		return;
	case FAULT_OVERSIZE:
		header->len = 0x7fffffff;
		buf_add(&connection->output, header, sizeof(*header));
		return;
	case FAULT_BADTYPE:
		header->type = XS_INVALID;
		break;
	case FAULT_BADID:
		header->req_id = ~header->req_id;
		break;
	case FAULT_EMPTY:
		header->len = 0;
		break;
	}
	connection_send(connection, header, payload);
}

static void answer(const struct request *request, enum fault_kind kind)
{
	struct xsd_sockmsg header = *request->header;
	const void *payload = request->reply.data;
	size_t length = buf_length(&request->reply);

	if (request->error) {
		header.type = XS_ERROR;
		payload = wire_error_name(request->error);
		length = strlen(payload) + 1;
	} else if (!length && request->header->type != XS_READ &&
		   request->header->type != XS_DIRECTORY) {
		payload = "OK";
		length = sizeof("OK");
	}
	header.len = (uint32_t)length;
	send_answer(request->connection, &header, payload, kind);
}

static void send_events(const struct request *request)
{
	const struct watch *watch = request->new_watch;

	if (watch)
		connection_send_event(
			request->connection, watch->path + watch->prefix, watch->token);
	server_fire(request->server, &request->changes);
	if (request->special)
		server_fire_special(request->server, request->special);
}

bool request_serve(
	struct connection *connection, const struct xsd_sockmsg *header, const char *body)
{
	struct request request = {
		.server = connection->server,
		.connection = connection,
		.header = header,
		.body = body,
	};
	char argument[ARGUMENT_ROOM];
	struct fault_action action;

	first_argument(argument, header, body);
	action = look_for_fault(connection, header->type, argument);
	if (action.kind == FAULT_DELAY) {
		log_result(&request, argument, &action);
		begin_delay(connection, action.argument);
		return false;
	}
	if (fault_carries_out(action.kind))
		request.error = verb_run(&request);
	if (action.kind == FAULT_ERROR)
		request.error = (int)action.argument;
	/* To end a transaction ends it, whether or not that succeeds. */
	if (action.kind == FAULT_ERROR && header->type == XS_TRANSACTION_END)
		verb_discard_transaction(connection, header->tx_id);
	if (!request.error && buf_length(&request.reply) > XENSTORE_PAYLOAD_MAX)
		request.error = E2BIG;
	/* What was delayed is in the log since it came. */
	if (!connection->has_waited)
		log_result(&request, argument, &action);
	connection->has_waited = false;
	answer(&request, action.kind);
	send_events(&request);
	changes_free(&request.changes);
	buf_free(&request.reply);
	return true;
}
