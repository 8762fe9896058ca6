/* SPDX-License-Identifier: LGPL-2.1-only */
/* The server: its sockets, its connections, and the loop that waits for them. */
#ifndef MOCK_SERVER_H
#define MOCK_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "log.h"
#include "store.h"
#include "watch.h"
#include "wire.h"

/* What an event of the loop is about; the first member of everything that has a descriptor. */
struct source {
	enum source_kind {
		SOURCE_LISTENER,
		SOURCE_CONNECTION,
		SOURCE_SIGNAL,
		SOURCE_PARENT,
	} kind;
	int fd;
};

struct listener {
	struct source source;
	const char *path;
	unsigned int domid;
	bool bound; /* the socket file is ours to remove */
};

/* A message is at most this long. */
#define MESSAGE_MAX (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)

struct connection {
	struct source source;
	struct connection *next;
	struct server *server;
	uint64_t number;
	unsigned int domid;
	uint32_t events;    /* that the loop waits for */
	bool closing;	    /* once the output is sent */
	bool dead;	    /* to be freed at the end of the loop's round */
	bool delayed;	    /* the first request waits until `resume_at` */
	bool has_waited;    /* it has waited: no faults for it any more */
	uint64_t resume_at; /* monotonic, in nanoseconds */
	struct watches watches;
	struct trans *transactions;
	struct buf output;
	size_t input_length;
	unsigned char input[2 * MESSAGE_MAX];
};

struct server {
	int epoll_fd;
	bool stopping;
	struct source signals;
	struct source parent;
	struct listener *listeners;
	size_t listener_count;
	struct connection *connections; /* in the order of their numbers, the latest first */
	uint64_t connection_count;	/* ever made */
	size_t watch_count;		/* of all connections */
	size_t delayed_count;
	bool has_events; /* some connections' output may not have been sent */
	uint32_t last_transaction;
	bool introduced[UINT16_MAX + 1];
	struct store store;
	struct faults faults;
	struct log log;
};

/* Makes it a server with an empty store, which neither listens nor logs. */
void server_init(struct server *server);

/*
 * Begins to listen; with `parent_pid` not 0, the end of that process is going to end the server.
 * Returns 0, or -1 after a message on standard error.
 */
int server_open(struct server *server, unsigned int parent_pid);

/*
 * Serves until a signal or the parent's end stops it. Returns 0, or -1 after a message on standard
 * error. May be called in another process than server_open().
 */
int server_run(struct server *server);

/* Removes the sockets, closes everything and frees what the server holds. */
void server_close(struct server *server);

/* Appends a message for the client to the connection's output. */
void connection_send(
	struct connection *connection, const struct xsd_sockmsg *header, const void *payload);

/* Tells all watches that are concerned of the changes. */
void server_fire(struct server *server, const struct changes *changes);

/* Tells watches of the special event `name`, which only domain 0 gets to see. */
void server_fire_special(struct server *server, const char *name);

/* Appends a watch event to the connection's output. */
void connection_send_event(struct connection *connection, const char *path, const char *token);

#endif
