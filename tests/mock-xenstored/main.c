/* SPDX-License-Identifier: LGPL-2.1-only */
/* mock-xenstored, a xenstored for tests: it speaks the wire protocol and fails on demand. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "load.h"
#include "options.h"
#include "path.h"
#include "server.h"

#define EXIT_USAGE 2

/* A domain that has a socket is there, and has a home of its own. */
static void introduce(struct server *server, unsigned int domid)
{
	struct store *store = &server->store;
	struct perms *perms = perms_new(domid);
	char home[PATH_ROOM];

	server->introduced[domid] = true;
	path_home(home, domid);
	tree_create(&store->tree, OWNER_INHERITED, home, ++store->generation);
	tree_set_perms(&store->tree, home, perms, store->generation);
	perms_unref(perms);
}

static int load_all(struct server *server, const struct options *options)
{
	introduce(server, 0);
	for (size_t i = 0; i < options->listener_count; i++)
		introduce(server, options->listeners[i].domid);
	for (size_t i = 0; i < options->load_count; i++) {
		switch (load_nodes(&server->store, options->loads[i])) {
		case LOAD_DONE:
			break;
		case LOAD_UNREADABLE:
			return EXIT_FAILURE;
		case LOAD_INVALID:
			return EXIT_USAGE;
		}
	}
	return EXIT_SUCCESS;
}

static int open_log(struct log *log, const char *file)
{
	if (!file)
		return 0;
	log->fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (log->fd >= 0)
		return 0;
	fprintf(stderr, "mock-xenstored: %s: %s\n", file, strerror(errno));
	return -1;
}

/* Goes into the background if that is asked for. Returns the process id of who serves, or -1. */
static int settle(const struct options *options, bool *serving)
{
	int pid = 0;

	*serving = true;
	if (!options->daemon)
		return (int)getpid();
	pid = daemon_fork();
	if (pid < 0)
		fprintf(stderr, "mock-xenstored: fork: %s\n", strerror(errno));
	*serving = pid == 0;
	return pid;
}

static int serve(struct server *server, const struct options *options)
{
	bool serving;
	int pid;

	if (open_log(&server->log, options->log_file) < 0 ||
		server_open(server, (unsigned int)options->parent) < 0)
		return EXIT_FAILURE;
	pid = settle(options, &serving);
	if (pid < 0)
		return EXIT_FAILURE;
	if (options->pid_file && pid && !daemon_write_pid(options->pid_file, pid)) {
		if (!serving)
			kill(pid, SIGTERM);
		return EXIT_FAILURE;
	}
	/* What is open belongs to the daemon: leave without closing it down. */
	if (!serving)
		_exit(EXIT_SUCCESS);
	return server_run(server) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(struct server *server, struct options *options)
{
	int status = load_all(server, options);

	/* After loading: a file to load may be a pipe that was inherited. */
	if (options->daemon)
		daemon_close_inherited();
	return status == EXIT_SUCCESS ? serve(server, options) : status;
}

static struct server *new_server(struct options *options)
{
	struct server *server = alloc_zeroed(sizeof(*server));

	server_init(server);
	server->listeners = options->listeners;
	server->listener_count = options->listener_count;
	server->faults.fixed = options->faults;
	server->faults.file = options->faults_file;
	options->faults = (struct fault_list){0};
	server->store.quota = options->quota;
	return server;
}

int main(int argc, char *argv[])
{
	struct options options;
	struct server *server;
	int status = EXIT_SUCCESS;

	if (options_parse(&options, argc, argv) < 0) {
		options_free(&options);
		return EXIT_USAGE;
	}
	if (options.help)
		options_print_help();
	if (!options.help && !options.check) {
		server = new_server(&options);
		status = run(server, &options);
		server_close(server);
		free(server);
	}
	options_free(&options);
	return status;
}
