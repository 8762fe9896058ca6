/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug session: many subcommands for one start of the program. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "message.h"
#include "number.h"
#include "status.h"

#define MOST_ARGUMENTS 256
#define MOST_BYTES 262144
/* Where the subcommands find the lock file. */
#define LOCK_DESCRIPTOR 3

/* The bytes of a request, and what they say. */
struct request {
	char bytes[MOST_BYTES];
	char *argv[MOST_ARGUMENTS + 2]; /* the name of this program, the arguments, NULL */
	int argc;
};

/* Result: whether there were so many; otherwise the script is gone. */
static bool read_all(char *bytes, size_t length)
{
	while (length) {
		ssize_t n = read(STDIN_FILENO, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* Reads the number before a request, and no byte more. Result: whether it is one. */
static bool read_length(unsigned long long *length)
{
	char digits[8];

	for (size_t i = 0; i < sizeof(digits); i++) {
		if (!read_all(digits + i, 1))
			return false;
		if (!digits[i])
			return parse_number(digits, MOST_BYTES, length, NULL) && *length;
	}
	return false;
}

/* Reads one request, and nothing of the next. Result: whether there was one. */
static bool read_request(struct request *request)
{
	unsigned long long length;

	if (!read_length(&length) || !read_all(request->bytes, (size_t)length) ||
		request->bytes[length - 1])
		return false;
	request->argc = 1;
	for (char *next = request->bytes, *end = next + length; next < end;
		next += strlen(next) + 1) {
		if (request->argc > MOST_ARGUMENTS)
			return false;
		request->argv[request->argc++] = next;
	}
	request->argv[request->argc] = NULL;
	return true;
}

/* What a worker was asked for. */
enum asked { ASKED_NOTHING, ASKED_ANSWER, ASKED_ASIDE, ASKED_AWAIT };

/* The process that serves one request. */
struct worker {
	pid_t pid;
	int output, errors; /* of the subcommand that it is: files in memory */
};

struct session {
	pid_t pid;
	char *name;	/* of this program, as it was started */
	int lock_error; /* errno: there is no lock file, and nothing may begin */
	const char *lock_path;
	/* Shared: written by the worker that gets a request, before it ends, or goes on aside. */
	volatile enum asked *asked;
	int notice[2];	     /* a pipe: a byte from the worker that goes on aside */
	struct worker aside; /* that one; its pid is 0 where there is none */
};

static bool write_all(const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(STDOUT_FILENO, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* The answer: STATUS, COUNT, and as many fields: the output, or why there is none. */
static bool answer(const struct worker *worker, int wait_status)
{
	int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : STATUS_FAILED;
	int output = status ? worker->errors : worker->output;
	struct stat st;
	char *bytes = NULL;
	char head[32];
	size_t count = 0;
	bool done = false;

	if (fstat(output, &st))
		return false;
	size_t length = (size_t)st.st_size;
	bytes = calloc(1, length + 1);
	if (!bytes || pread(output, bytes, length, 0) != st.st_size)
		goto cleanup;
	if (length && bytes[length - 1])
		length++;
	for (size_t i = 0; i < length; i++)
		count += !bytes[i];
	int head_length = snprintf(head, sizeof(head), "%d%c%zu", status, '\0', count);
	done = write_all(head, (size_t)head_length + 1) && write_all(bytes, length);

cleanup:
	free(bytes);
	return done;
}

/* The subcommand, as if it had been started. */
static int dispatch(const struct session *session, int argc, char *argv[])
{
	argv[0] = session->name;
	/* `load` comes first in all scripts; `fail` has to work without a lock. */
	if (session->lock_error && argc > 1 && !strcmp(argv[1], command_load.name))
		return complain(STATUS_FAILED,
			"Cannot open the lock file %s (%s); see whether its file system is full or "
			"read-only.",
			QUOTED(session->lock_path), strerror(session->lock_error));
	optind = 0; /* getopt_long() starts anew */
	return command_dispatch(argc, argv);
}

/* In the child: waits for a request, and is that subcommand, with its output in files. */
static _Noreturn void serve_one(const struct session *session, const struct worker *worker)
{
	static struct request request;
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* Nothing goes on behind the back of a script that has lost its session, and its lock. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != session->pid)
		_exit(STATUS_FAILED);
	if (!read_request(&request))
		_exit(STATUS_DONE);
	bool aside = !strcmp(request.argv[1], "aside");
	if (session->aside.pid && (aside || !strcmp(request.argv[1], "await"))) {
		*session->asked = aside ? ASKED_NOTHING : ASKED_AWAIT;
		_exit(STATUS_DONE);
	}
	*session->asked = aside ? ASKED_ASIDE : ASKED_ANSWER;
	if (aside && write(session->notice[1], "", 1) != 1)
		_exit(STATUS_FAILED);
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
		dup2(worker->output, STDOUT_FILENO) < 0 || dup2(worker->errors, STDERR_FILENO) < 0)
		_exit(STATUS_FAILED);
	exit(dispatch(session, request.argc - aside, request.argv + aside));
}

static bool open_file(int *file, const char *name)
{
	if (*file < 0)
		*file = memfd_create(name, MFD_CLOEXEC);
	return *file >= 0 && !ftruncate(*file, 0) && !lseek(*file, 0, SEEK_SET);
}

static void close_files(struct worker *worker)
{
	if (worker->output >= 0)
		close(worker->output);
	if (worker->errors >= 0)
		close(worker->errors);
	worker->output = worker->errors = -1;
}

/* Waits for its end, and answers. Result: whether there was an answer. */
static bool answer_ended(const struct worker *worker)
{
	int wait_status;

	while (waitpid(worker->pid, &wait_status, 0) < 0)
		if (errno != EINTR)
			return false;
	return answer(worker, wait_status);
}

static bool answer_aside(struct session *session)
{
	bool done = answer_ended(&session->aside);

	close_files(&session->aside);
	session->aside.pid = 0;
	return done;
}

/* Result: whether the worker ends, or goes on aside; otherwise neither can be known. */
static bool wait_for(const struct session *session, const struct worker *worker)
{
	char byte;
	struct pollfd events[] = {
		{.fd = (int)syscall(SYS_pidfd_open, worker->pid, 0), .events = POLLIN},
		{.fd = session->notice[0], .events = POLLIN},
	};
	int ready;

	if (events[0].fd < 0)
		return false;
	do
		ready = poll(events, sizeof(events) / sizeof(events[0]), -1);
	while (ready < 0 && errno == EINTR);
	close(events[0].fd);
	return ready > 0 && (!events[1].revents || read(session->notice[0], &byte, 1) == 1);
}

/*
 * Each request is served in a process of its own: a deadline ends that, and what it holds goes with
 * it: before the answer. It is made before the request comes, while the script does other things.
 * Result: whether there was a request, and an answer where it has one.
 */
static bool serve_request(struct session *session, struct worker *worker)
{
	*session->asked = ASKED_NOTHING;
	if (!open_file(&worker->output, "xen-hotplug output") ||
		!open_file(&worker->errors, "xen-hotplug errors"))
		return false;
	worker->pid = fork();
	if (worker->pid < 0)
		return false;
	if (!worker->pid)
		serve_one(session, worker);
	if (!wait_for(session, worker))
		return false;
	switch (*session->asked) {
	case ASKED_NOTHING:
		return false;
	case ASKED_ANSWER:
		return answer_ended(worker);
	case ASKED_ASIDE:
		session->aside = *worker;
		worker->output = worker->errors = -1;
		return true;
	case ASKED_AWAIT:
		while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
			;
		return answer_aside(session);
	}
	return false;
}

static int serve(struct session *session)
{
	struct worker worker = {.output = -1, .errors = -1};

	session->asked = mmap(NULL, sizeof(*session->asked), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* When the script ends in the middle of `run`, so does the command that is run. */
	if (session->asked == MAP_FAILED || pipe2(session->notice, O_CLOEXEC) ||
		prctl(PR_SET_PDEATHSIG, SIGTERM))
		return complain(STATUS_FAILED, "A session cannot begin (%s); free some memory.",
			strerror(errno));
	while (serve_request(session, &worker))
		;
	close_files(&worker);
	return STATUS_DONE;
}

/* Opens the lock file, in a directory that need not be there yet. Result: 0 or errno. */
static int open_lock(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	if (slash && slash != path && (size_t)(slash - path) < sizeof(directory)) {
		memcpy(directory, path, (size_t)(slash - path));
		directory[slash - path] = '\0';
		if (mkdir(directory, 0700) && errno != EEXIST)
			return errno;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	if (fd != LOCK_DESCRIPTOR) {
		if (dup3(fd, LOCK_DESCRIPTOR, O_CLOEXEC) < 0)
			return errno;
		close(fd);
	}
	return 0;
}

static int run_session(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"lock", required_argument, NULL, 'l'},
		OPTION_HELP,
	};
	struct session session = {.pid = getpid(), .name = argv[0]};

	while (next_option(command, argc, argv, options) != -1)
		session.lock_path = optarg;
	if (argc != optind)
		return usage_error(command, "'session' takes no argument");
	if (session.lock_path)
		session.lock_error = open_lock(session.lock_path);
	return serve(&session);
}

const struct command command_session = {
	.name = "session",
	.usage = "[--lock FILE]",
	.summary = "runs subcommands that it is sent, until its input ends",
	.help = "\n"
		"A request is the number of bytes in its arguments, and the arguments, the "
		"subcommand\n"
		"first, each ended by a NUL byte. The answer is the exit status, the number of "
		"fields, and "
		"the\n"
		"fields, each ended by a NUL byte; where the subcommand failed, its sentence is "
		"the\n"
		"only one. The next request is sent after that. Each runs in a process of its "
		"own,\n"
		"with all its deadlines.\n"
		"\n"
		"A request with the word 'aside' before the subcommand has no answer; the next "
		"ones\n"
		"are served beside it. One of these is 'await', which waits for its end and has "
		"its\n"
		"answer; before that there must not be another 'aside'.\n"
		"\n"
		"  --lock FILE  make FILE, and its directory, and give it to the subcommands as\n"
		"               descriptor 3; what they lock stays locked until the session ends\n",
	.run = run_session,
};
