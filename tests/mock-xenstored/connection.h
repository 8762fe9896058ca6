/* SPDX-License-Identifier: LGPL-2.1-only */
/* Connections of clients: their input, their output, their life. */
#ifndef MOCK_CONNECTION_H
#define MOCK_CONNECTION_H

#include "server.h"

/* Takes in a client that the listener has waiting, if there is one still. */
void connection_accept(struct server *server, const struct listener *listener);

/* Handles what the loop saw on the connection (EPOLL* bits): reads, serves, notices its end. */
void connection_handle(struct connection *connection, uint32_t events);

/* Serves what waited for the delay that is over. */
void connection_resume(struct connection *connection);

/* Sends the output as far as the client takes it; then the loop waits for what is still missing. */
void connection_flush(struct connection *connection);

/* Closes it and lets go of its watches and transactions; it is freed by the server later. */
void connection_kill(struct connection *connection);

#endif
