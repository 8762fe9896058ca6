/* SPDX-License-Identifier: LGPL-2.1-only */
/* Requests: what a client asks for, and the answer, with or without a fault. */
#ifndef MOCK_REQUEST_H
#define MOCK_REQUEST_H

#include "server.h"

/* A request that is being carried out. */
struct request {
	struct server *server;
	struct connection *connection;
	const struct xsd_sockmsg *header;
	const char *body; /* header->len bytes, not necessarily terminated */
	struct trans *trans;
	int error;	  /* 0: none */
	struct buf reply; /* the answer's payload; none stands for OK */
	struct changes changes;
	const struct watch *new_watch; /* that is to get its first event */
	const char *special;	       /* event that the request causes, or NULL */
};

/*
 * Serves one complete message. Returns false when that has to wait, because of a delay that was
 * ordered: the message is to be served again at connection->resume_at.
 */
bool request_serve(
	struct connection *connection, const struct xsd_sockmsg *header, const char *body);

/*
 * Carries the request out. Returns 0 and leaves the payload of the answer in request->reply, or
 * an error of the protocol.
 */
int verb_run(struct request *request);

/* Ends the transaction of that id, if the connection has it. */
void verb_discard_transaction(struct connection *connection, uint32_t id);

/* Ends all of the connection's transactions and removes its watches. */
void verb_reset(struct connection *connection);

#endif
