/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A client for the tests of mock-xenstored, for what xenstore-utils cannot do.
 *
 *   mock-client steps          lines on standard input: NAME VERB [ARGUMENT [REST]]; NAME is a
 *                              connection. Each step prints what came of it.
 *   mock-client raw SOCKET     sends standard input as it is; prints what comes back until the
 *                              other side closes. Status 3 if it does not for 10 seconds.
 *   mock-client bench PATH N   reads the node N times; prints the round trips a second.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <xenstore.h>

#define DEADLINE_MS 10000
#define CLIENTS_MAX 16

struct client {
	char *name;
	struct xs_handle *handle;
	xs_transaction_t transaction;
};

/* One line: what a connection is to do. */
struct step {
	struct client *client;
	char *argument; /* NULL: none */
	char *rest;	/* NULL: none */
	FILE *out;	/* for the outcome, if it is more than success */
};

/* False: errno says why. */
typedef bool verb_fn(struct step *step);

static bool do_open(struct step *step)
{
	if (step->argument)
		setenv("XENSTORED_PATH", step->argument, 1);
	step->client->handle = xs_open(0);
	return step->client->handle != NULL;
}

static bool do_close(struct step *step)
{
	xs_close(step->client->handle);
	step->client->handle = NULL;
	return true;
}

static bool do_start(struct step *step)
{
	step->client->transaction = xs_transaction_start(step->client->handle);
	return step->client->transaction != XBT_NULL;
}

static bool end(struct client *client, bool abort)
{
	xs_transaction_t transaction = client->transaction;

	client->transaction = XBT_NULL;
	return xs_transaction_end(client->handle, transaction, abort);
}

static bool do_commit(struct step *step)
{
	return end(step->client, false);
}

static bool do_abort(struct step *step)
{
	return end(step->client, true);
}

static bool do_read(struct step *step)
{
	unsigned int length;
	char *value =
		xs_read(step->client->handle, step->client->transaction, step->argument, &length);

	if (!value)
		return false;
	fwrite(value, 1, length, step->out);
	free(value);
	return true;
}

static bool do_write(struct step *step)
{
	return xs_write(step->client->handle, step->client->transaction, step->argument,
		step->rest ? step->rest : "", step->rest ? (unsigned int)strlen(step->rest) : 0);
}

static bool do_mkdir(struct step *step)
{
	return xs_mkdir(step->client->handle, step->client->transaction, step->argument);
}

static bool do_rm(struct step *step)
{
	return xs_rm(step->client->handle, step->client->transaction, step->argument);
}

static bool do_list(struct step *step)
{
	unsigned int count;
	char **names = xs_directory(
		step->client->handle, step->client->transaction, step->argument, &count);

	if (!names)
		return false;
	for (unsigned int i = 0; i < count; i++)
		fprintf(step->out, "%s%s", i ? " " : "", names[i]);
	free(names);
	return true;
}

static bool do_watch(struct step *step)
{
	return xs_watch(step->client->handle, step->argument, step->rest ? step->rest : "token");
}

static bool do_unwatch(struct step *step)
{
	return xs_unwatch(step->client->handle, step->argument, step->rest ? step->rest : "token");
}

static bool do_event(struct step *step)
{
	struct pollfd poll_fd = {.fd = xs_fileno(step->client->handle), .events = POLLIN};
	char **event;

	if (poll(&poll_fd, 1, DEADLINE_MS) == 0) {
		errno = ETIMEDOUT;
		return false;
	}
	event = xs_check_watch(step->client->handle);
	if (!event)
		return false;
	fprintf(step->out, "%s %s", event[XS_WATCH_PATH], event[XS_WATCH_TOKEN]);
	free(event);
	return true;
}

/* Is there an event already? Asks for one only; sends nothing, hence put a request before it. */
static bool do_noevent(struct step *step)
{
	char **event = xs_check_watch(step->client->handle);

	if (!event)
		return errno == EAGAIN;
	fprintf(step->out, "unexpected %s", event[XS_WATCH_PATH]);
	free(event);
	return true;
}

static bool do_introduce(struct step *step)
{
	return xs_introduce_domain(
		step->client->handle, (unsigned int)strtoul(step->argument, NULL, 10), 1, 1);
}

static bool do_release(struct step *step)
{
	return xs_release_domain(
		step->client->handle, (unsigned int)strtoul(step->argument, NULL, 10));
}

static bool do_introduced(struct step *step)
{
	unsigned int domid = (unsigned int)strtoul(step->argument, NULL, 10);

	fputs(xs_is_domain_introduced(step->client->handle, domid) ? "yes" : "no", step->out);
	return true;
}

static bool do_home(struct step *step)
{
	char *path = xs_get_domain_path(
		step->client->handle, (unsigned int)strtoul(step->argument, NULL, 10));

	if (!path)
		return false;
	fputs(path, step->out);
	free(path);
	return true;
}

static bool do_control(struct step *step)
{
	char *answer = xs_control_command(step->client->handle, step->argument, step->rest,
		step->rest ? (unsigned int)strlen(step->rest) + 1 : 0);

	if (!answer)
		return false;
	fputs(answer, step->out);
	free(answer);
	return true;
}

static const struct {
	const char *name;
	bool needs_argument;
	verb_fn *run;
} verbs[] = {
	{"open", false, do_open},
	{"close", false, do_close},
	{"start", false, do_start},
	{"commit", false, do_commit},
	{"abort", false, do_abort},
	{"read", true, do_read},
	{"write", true, do_write},
	{"mkdir", true, do_mkdir},
	{"rm", true, do_rm},
	{"list", true, do_list},
	{"watch", true, do_watch},
	{"unwatch", true, do_unwatch},
	{"event", false, do_event},
	{"noevent", false, do_noevent},
	{"introduce", true, do_introduce},
	{"release", true, do_release},
	{"introduced", true, do_introduced},
	{"home", true, do_home},
	{"control", true, do_control},
};

/* The client of that name, a new one if need be; NULL when there are too many. */
static struct client *find_client(struct client *clients, const char *name)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (!clients[i].name)
			clients[i].name = strdup(name);
		if (clients[i].name && strcmp(clients[i].name, name) == 0)
			return &clients[i];
	}
	return NULL;
}

static verb_fn *find_verb(const char *name, bool has_argument)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return verbs[i].needs_argument && !has_argument ? NULL : verbs[i].run;
	}
	return NULL;
}

/* Prints what came of the step, on one line. */
static bool perform(struct step *step, const char *verb, verb_fn *run)
{
	char *text = NULL;
	size_t length;
	bool done;
	int error;

	step->out = open_memstream(&text, &length);
	if (!step->out)
		return false;
	done = run(step);
	error = errno;
	fclose(step->out);
	if (done)
		printf("%s %s ok%s%s\n", step->client->name, verb, length ? " " : "", text);
	else
		printf("%s %s %s\n", step->client->name, verb, strerrorname_np(error));
	fflush(stdout);
	free(text);
	return true;
}

static bool run_step(struct client *clients, char *line)
{
	char *name = strsep(&line, " ");
	char *verb = strsep(&line, " ");
	char *argument = strsep(&line, " ");
	struct step step = {find_client(clients, name), argument, line, NULL};
	verb_fn *run = verb ? find_verb(verb, argument != NULL) : NULL;

	if (step.client && run && (run == do_open || step.client->handle))
		return perform(&step, verb, run);
	fprintf(stderr, "mock-client: cannot do: %s %s\n", name, verb ? verb : "");
	return false;
}

static int steps(void)
{
	struct client clients[CLIENTS_MAX] = {0};
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int status = EXIT_SUCCESS;

	while (status == EXIT_SUCCESS && (length = getline(&line, &room, stdin)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (!run_step(clients, line))
			status = EXIT_FAILURE;
	}
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].handle)
			xs_close(clients[i].handle);
		free(clients[i].name);
	}
	free(line);
	return status;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends what it can: a server that has closed already is what the test is about. */
static void send_all(int fd)
{
	char bytes[65536];
	ssize_t length;

	while ((length = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
		if (send(fd, bytes, (size_t)length, MSG_NOSIGNAL) < 0)
			return;
	}
}

static int raw(const char *path)
{
	int fd = connect_to(path);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char bytes[65536];
	ssize_t length;

	if (fd < 0) {
		perror(path);
		return EXIT_FAILURE;
	}
	send_all(fd);
	do {
		if (poll(&poll_fd, 1, DEADLINE_MS) <= 0)
			return 3;
		length = recv(fd, bytes, sizeof(bytes), 0);
		if (length > 0)
			fwrite(bytes, 1, (size_t)length, stdout);
	} while (length > 0);
	close(fd);
	return EXIT_SUCCESS;
}

static int bench(const char *path, unsigned long count)
{
	struct xs_handle *handle = xs_open(0);
	struct timespec begin;
	struct timespec finish;
	double seconds;

	if (!handle) {
		perror("mock-client: xs_open");
		return EXIT_FAILURE;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned long i = 0; i < count; i++)
		free(xs_read(handle, XBT_NULL, path, NULL));
	clock_gettime(CLOCK_MONOTONIC, &finish);
	seconds = (double)(finish.tv_sec - begin.tv_sec) +
		  (double)(finish.tv_nsec - begin.tv_nsec) / 1e9;
	printf("%.0f round trips/s\n", (double)count / seconds);
	xs_close(handle);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "steps") == 0)
		return steps();
	if (argc == 3 && strcmp(argv[1], "raw") == 0)
		return raw(argv[2]);
	if (argc == 4 && strcmp(argv[1], "bench") == 0)
		return bench(argv[2], strtoul(argv[3], NULL, 10));
	fputs("usage: mock-client steps | raw SOCKET | bench PATH N\n", stderr);
	return 2;
}
