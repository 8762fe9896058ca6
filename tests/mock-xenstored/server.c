/* SPDX-License-Identifier: LGPL-2.1-only */
/* The server: its sockets, and the loop that waits for clients, delays and its own end. */
#include "server.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"

#define EVENTS_AT_ONCE 64

static int complain(const char *what)
{
	fprintf(stderr, "mock-xenstored: %s: %s\n", what, strerror(errno));
	return -1;
}

/* A socket that a server before left behind is in the way; any other file is not ours. */
static void remove_stale_socket(const char *path)
{
	struct stat status;

	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		unlink(path);
}

static int open_listener(struct listener *listener)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(listener->path);

	if (length >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return complain(listener->path);
	}
	memcpy(address.sun_path, listener->path, length + 1);
	listener->source.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->source.fd < 0)
		return complain("socket");
	remove_stale_socket(listener->path);
	if (bind(listener->source.fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return complain(listener->path);
	listener->bound = true;
	if (listen(listener->source.fd, SOMAXCONN) < 0)
		return complain(listener->path);
	return 0;
}

static void ending_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
}

int server_open(struct server *server, unsigned int parent_pid)
{
	sigset_t signals;

	/* From here on they wait until the loop sees them: the sockets are to be removed. */
	ending_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (parent_pid) {
		server->parent.fd = (int)syscall(SYS_pidfd_open, (pid_t)parent_pid, 0);
		if (server->parent.fd < 0)
			return complain("pidfd_open");
	}
	for (size_t i = 0; i < server->listener_count; i++) {
		if (open_listener(&server->listeners[i]) < 0)
			return -1;
	}
	return 0;
}

static int wait_for(const struct server *server, struct source *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, source->fd, &event);
}

/* Not before the fork: a signalfd in an epoll set tells of the process that put it there. */
static int prepare_loop(struct server *server)
{
	sigset_t signals;

	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return -1;
	ending_signals(&signals);
	server->signals.fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (server->signals.fd < 0 || wait_for(server, &server->signals) < 0)
		return -1;
	if (server->parent.fd >= 0 && wait_for(server, &server->parent) < 0)
		return -1;
	for (size_t i = 0; i < server->listener_count; i++) {
		if (wait_for(server, &server->listeners[i].source) < 0)
			return -1;
	}
	return 0;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* How long the loop may wait, in milliseconds (rounded up, not to wake up too early); -1: ever. */
static int time_to_wait(const struct server *server)
{
	uint64_t first = UINT64_MAX;
	uint64_t milliseconds;
	uint64_t time;

	if (!server->delayed_count)
		return -1;
	for (const struct connection *c = server->connections; c; c = c->next) {
		if (c->delayed && c->resume_at < first)
			first = c->resume_at;
	}
	time = now();
	if (first <= time)
		return 0;
	milliseconds = (first - time + 999999) / 1000000;
	return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}

static void resume_delayed(const struct server *server)
{
	uint64_t time;

	if (!server->delayed_count)
		return;
	time = now();
	for (struct connection *c = server->connections; c; c = c->next) {
		if (c->delayed && c->resume_at <= time)
			connection_resume(c);
	}
}

static void handle(struct server *server, const struct epoll_event *event)
{
	struct source *source = event->data.ptr;

	switch (source->kind) {
	case SOURCE_LISTENER:
		connection_accept(server, (struct listener *)source);
		break;
	case SOURCE_CONNECTION:
		connection_handle((struct connection *)source, event->events);
		break;
	case SOURCE_SIGNAL:
	case SOURCE_PARENT:
		server->stopping = true;
		break;
	}
}

/* Watch events are written to all kinds of connections: send them at the end of the round. */
static void flush_events(struct server *server)
{
	if (!server->has_events)
		return;
	server->has_events = false;
	for (struct connection *c = server->connections; c; c = c->next) {
		if (buf_length(&c->output))
			connection_flush(c);
	}
}

static void free_dead(struct server *server)
{
	struct connection **link = &server->connections;

	while (*link) {
		struct connection *connection = *link;

		if (!connection->dead) {
			link = &connection->next;
			continue;
		}
		*link = connection->next;
		free(connection);
	}
}

void server_init(struct server *server)
{
	memset(server, 0, sizeof(*server));
	server->epoll_fd = -1;
	server->signals = (struct source){.kind = SOURCE_SIGNAL, .fd = -1};
	server->parent = (struct source){.kind = SOURCE_PARENT, .fd = -1};
	server->log.fd = -1;
	tree_init(&server->store.tree);
}

int server_run(struct server *server)
{
	if (prepare_loop(server) < 0)
		return complain("cannot wait");
	while (!server->stopping) {
		struct epoll_event events[EVENTS_AT_ONCE];
		int count =
			epoll_wait(server->epoll_fd, events, EVENTS_AT_ONCE, time_to_wait(server));

		if (count < 0 && errno != EINTR)
			return complain("epoll_wait");
		for (int i = 0; i < count; i++)
			handle(server, &events[i]);
		resume_delayed(server);
		flush_events(server);
		free_dead(server);
	}
	return 0;
}

static void close_source(const struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
}

void server_close(struct server *server)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		if (server->listeners[i].bound)
			unlink(server->listeners[i].path);
		close_source(&server->listeners[i].source);
	}
	for (struct connection *c = server->connections; c; c = c->next)
		connection_kill(c);
	free_dead(server);
	close_source(&server->signals);
	close_source(&server->parent);
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	faults_free(&server->faults);
	tree_free(&server->store.tree);
	if (server->log.fd >= 0)
		close(server->log.fd);
}

static void emit_event(void *context, const char *path, const char *token)
{
	connection_send_event(context, path, token);
}

static void fire(const struct server *server, const struct change *change)
{
	for (struct connection *c = server->connections; c; c = c->next) {
		if (c->watches.count)
			watches_fire(&c->watches, change, c->domid, emit_event, c);
	}
}

void server_fire(struct server *server, const struct changes *changes)
{
	if (!changes->count)
		return;
	for (size_t i = 0; i < changes->count; i++)
		fire(server, &changes->list[i]);
	server->has_events = true;
}

void server_fire_special(struct server *server, const char *name)
{
	struct change change = {.path = (char *)name}; /* only looked at */

	if (!server->watch_count)
		return;
	fire(server, &change);
	server->has_events = true;
}
