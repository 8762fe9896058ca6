/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug session: many subcommands for one start of the program. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "message.h"
#include "status.h"

#define MOST_ARGUMENTS 256
#define MOST_BYTES 262144
/* Where the subcommands find the lock file. */
#define LOCK_DESCRIPTOR 3

/* One request: COUNT and as many arguments, each ended by NUL. */
struct request {
	char bytes[MOST_BYTES];
	size_t used;
	char *argv[MOST_ARGUMENTS + 2]; /* the name of this program, the arguments, NULL */
	int argc;
};

enum reading { READ_WHOLE, READ_MORE, READ_WRONG };

/* Cuts the bytes into arguments. Result: whether all of them are there. */
static enum reading parse_request(struct request *request)
{
	unsigned long long count;
	char *next = request->bytes, *end = request->bytes + request->used;
	char *nul = memchr(next, '\0', request->used);

	if (!nul)
		return READ_MORE;
	if (!parse_number(next, MOST_ARGUMENTS, &count, NULL) || !count)
		return READ_WRONG;
	request->argc = 1;
	for (next = nul + 1; (unsigned long long)request->argc <= count; next = nul + 1) {
		nul = next < end ? memchr(next, '\0', (size_t)(end - next)) : NULL;
		if (!nul)
			return READ_MORE;
		request->argv[request->argc++] = next;
	}
	request->argv[request->argc] = NULL;
	return next == end ? READ_WHOLE : READ_WRONG;
}

/* Result: whether there is a request; otherwise the script is gone, or mad. */
static bool read_request(struct request *request)
{
	enum reading reading = READ_MORE;

	for (request->used = 0; reading == READ_MORE && request->used < MOST_BYTES;) {
		ssize_t n = read(
			STDIN_FILENO, request->bytes + request->used, MOST_BYTES - request->used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		request->used += (size_t)n;
		reading = parse_request(request);
	}
	return reading == READ_WHOLE;
}

/* What a session has open. */
struct session {
	pid_t pid;
	char *name;	/* of this program, as it was started */
	int lock_error; /* errno: there is no lock file, and nothing may begin */
	const char *lock_path;
	int output, errors;   /* of the subcommand that runs: files in memory */
	volatile bool *asked; /* shared with the process that serves: it has got a request */
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
static bool answer(const struct session *session, int status)
{
	int output = status ? session->errors : session->output;
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
static int dispatch(const struct session *session, struct request *request)
{
	request->argv[0] = session->name;
	/* `load` comes first in all scripts; `fail` has to work without a lock. */
	if (session->lock_error && !strcmp(request->argv[1], command_load.name))
		return complain(STATUS_FAILED,
			"Cannot open the lock file %s (%s); see whether its file system is full or "
			"read-only.",
			QUOTED(session->lock_path), strerror(session->lock_error));
	optind = 0; /* getopt_long() starts anew */
	return command_dispatch(request->argc, request->argv);
}

/* In the child: waits for a request, and is that subcommand, with its output in files. */
static _Noreturn void serve_one(const struct session *session)
{
	static struct request request;
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* Nothing goes on behind the back of a script that has lost its session, and its lock. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != session->pid)
		_exit(STATUS_FAILED);
	if (!read_request(&request))
		_exit(STATUS_DONE);
	*session->asked = true;
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
		dup2(session->output, STDOUT_FILENO) < 0 ||
		dup2(session->errors, STDERR_FILENO) < 0)
		_exit(STATUS_FAILED);
	exit(dispatch(session, &request));
}

static bool rewind_file(int file)
{
	return !ftruncate(file, 0) && !lseek(file, 0, SEEK_SET);
}

/*
 * Each request is served in a process of its own: a deadline ends that, and what it holds goes with
 * it: before the answer. It is made before the request comes, while the script does other things.
 * Result: whether there was a request, and an answer.
 */
static bool serve_request(const struct session *session)
{
	int wait_status;

	*session->asked = false;
	if (!rewind_file(session->output) || !rewind_file(session->errors))
		return false;
	pid_t pid = fork();
	if (pid < 0)
		return false;
	if (!pid)
		serve_one(session);
	while (waitpid(pid, &wait_status, 0) < 0)
		if (errno != EINTR)
			return false;
	return *session->asked &&
	       answer(session, WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : STATUS_FAILED);
}

static int serve(struct session *session)
{
	int status = STATUS_DONE;

	session->output = memfd_create("xen-hotplug output", MFD_CLOEXEC);
	session->errors = memfd_create("xen-hotplug errors", MFD_CLOEXEC);
	session->asked = mmap(NULL, sizeof(*session->asked), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* When the script ends in the middle of `run`, so does the command that is run. */
	if (session->output < 0 || session->errors < 0 || session->asked == MAP_FAILED ||
		prctl(PR_SET_PDEATHSIG, SIGTERM)) {
		status = complain(STATUS_FAILED, "A session cannot begin (%s); free some memory.",
			strerror(errno));
		goto cleanup;
	}
	while (serve_request(session))
		;

cleanup:
	close(session->output);
	close(session->errors);
	return status;
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
		"A request is the number of arguments and the arguments, the subcommand first, "
		"each\n"
		"ended by a NUL byte. The answer is the exit status, the number of fields, and "
		"the\n"
		"fields, each ended by a NUL byte; where the subcommand failed, its sentence is "
		"the\n"
		"only one. The next request is sent after that. Each runs in a process of its "
		"own,\n"
		"with all its deadlines.\n"
		"\n"
		"  --lock FILE  make FILE, and its directory, and give it to the subcommands as\n"
		"               descriptor 3; what they lock stays locked until the session ends\n",
	.run = run_session,
};
