/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs a command that cannot outlive the caller, the deadline, or a request to stop. */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadline.h"
#include "reap.h"

/* The first descriptor of the files that the command gets. */
#define FIRST_FILE (STDERR_FILENO + 1)

/* How long a killed process may take to die: one that waits for a dead disk does not die at all. */
#define DEATH_MS 3000

enum { EXIT_LATE = 124, EXIT_NOT_EXECUTABLE = 126, EXIT_SIGNAL = 128 };

/* What there is while a command runs; descriptors that are -1 are closed. */
struct supervision {
	const int *files; /* for the command */
	size_t file_count;
	pid_t child;
	int signals;			 /* signalfd */
	int pidfd;			 /* of the child */
	int errors_read, errors_write;	 /* the child's standard error */
	int failure_read, failure_write; /* errno of why it did not become the command */
};

#define CLOSED                                                                                     \
	.signals = -1, .pidfd = -1, .errors_read = -1, .errors_write = -1, .failure_read = -1,     \
	.failure_write = -1

/* See supervise_announce(); NULL: nobody asks. */
static atomic_int *announced;

void supervise_announce(atomic_int *group)
{
	announced = group;
}

static void announce(pid_t group)
{
	if (announced)
		atomic_store(announced, group);
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_all(struct supervision *s)
{
	close_one(&s->signals);
	close_one(&s->pidfd);
	close_one(&s->errors_read);
	close_one(&s->errors_write);
	close_one(&s->failure_read);
	close_one(&s->failure_write);
}

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
}

static bool open_pipe(int *read_end, int *write_end)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return false;
	*read_end = ends[0];
	*write_end = ends[1];
	return true;
}

/* Opens what the parent needs before the fork. Result: false with errno. */
static bool prepare(struct supervision *s)
{
	sigset_t set;

	stop_signals(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return false;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals >= 0 && open_pipe(&s->errors_read, &s->errors_write) &&
	       open_pipe(&s->failure_read, &s->failure_write) &&
	       !fcntl(s->errors_read, F_SETFL, O_NONBLOCK) &&
	       !fcntl(s->failure_read, F_SETFL, O_NONBLOCK);
}

/* In the child: signals as a command expects them, whatever this program's caller had. */
static void reset_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * In the child: arranges the descriptors of the command, and behind them the one that tells why it
 * was not started. Result: the number of that, or -1 with errno.
 */
static int arrange_descriptors(struct supervision *s)
{
	int last = FIRST_FILE + (int)s->file_count;
	/* It may have a number that one of the files is to get. */
	int failure = fcntl(s->failure_write, F_DUPFD_CLOEXEC, last + 1);

	if (failure < 0 || dup2(s->errors_write, STDERR_FILENO) < 0)
		return -1;
	for (size_t i = 0; i < s->file_count; i++)
		if (dup2(s->files[i], FIRST_FILE + (int)i) < 0)
			return -1;
	if (dup3(failure, last, O_CLOEXEC) < 0)
		return -1;
	closefrom(last + 1);
	return last;
}

/* In the child: becomes the command, or tells the supervisor why it cannot. */
static _Noreturn void become(struct supervision *s, pid_t supervisor, char *argv[])
{
	int failure_to;

	setpgid(0, 0);
	announce(getpid());
	reset_signals();
	/* If the supervisor is gone already, nobody is left to be told about its death. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != supervisor)
		_exit(EXIT_SIGNAL + SIGKILL);
	failure_to = arrange_descriptors(s);
	if (failure_to >= 0)
		execvp(argv[0], argv);
	int failure = errno;
	ssize_t written =
		write(failure_to >= 0 ? failure_to : s->failure_write, &failure, sizeof(failure));
	(void)written; /* the status says that it failed */
	_exit(EXIT_NOT_EXECUTABLE);
}

/* Result: false with errno. */
static bool start(struct supervision *s, char *argv[])
{
	pid_t supervisor = getpid();

	s->child = fork();
	if (!s->child)
		become(s, supervisor, argv);
	if (s->child < 0)
		return false;
	/* So also before the child has done the same. */
	setpgid(s->child, s->child);
	close_one(&s->errors_write);
	close_one(&s->failure_write);
	s->pidfd = (int)syscall(SYS_pidfd_open, s->child, 0);
	return s->pidfd >= 0;
}

/*
 * Takes over what the command has written to standard error, and drops what does not fit. Stops
 * after a fair amount, so that a flood does not keep the caller from seeing to the rest. Result:
 * false when the other end is closed.
 */
static bool read_errors(struct supervision *s, struct supervised *result)
{
	for (int i = 0; i < 16; i++) {
		char chunk[4096];
		ssize_t n = read(s->errors_read, chunk, sizeof(chunk));

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (!n)
			return false;
		size_t room = sizeof(result->errors) - result->error_length;
		size_t kept = (size_t)n < room ? (size_t)n : room;
		memcpy(result->errors + result->error_length, chunk, kept);
		result->error_length += kept;
	}
	return true;
}

static void stop(struct supervision *s, struct supervised *result, enum supervised_end why,
	int signal_number)
{
	result->unkillable = !reap_group(s->child, DEATH_MS);
	result->end = why;
	result->signal = signal_number;
	result->status = why == SUPERVISED_LATE ? EXIT_LATE : EXIT_SIGNAL + signal_number;
}

/* The first signal that asks for an end, or 0. */
static int stop_request(struct supervision *s)
{
	struct signalfd_siginfo info;

	return read(s->signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* The command has ended: takes over how, and what it said last. */
static void collect(struct supervision *s, struct supervised *result)
{
	int status = 0, failure;

	while (waitpid(s->child, &status, 0) < 0 && errno == EINTR)
		;
	if (read(s->failure_read, &failure, sizeof(failure)) == sizeof(failure)) {
		result->end = SUPERVISED_NOT_STARTED;
		result->error = failure;
		return;
	}
	/* Not up to the end of file: a daemon it started may hold the pipe for ever. */
	if (s->errors_read >= 0)
		read_errors(s, result);
	result->end = SUPERVISED_ENDED;
	if (WIFSIGNALED(status)) {
		result->signal = WTERMSIG(status);
		result->status = EXIT_SIGNAL + result->signal;
		return;
	}
	result->status = WEXITSTATUS(status);
}

/* Until the command has ended, one way or the other. */
static void watch_over(struct supervision *s, unsigned deadline_ms, struct supervised *result)
{
	long long end = now_ms() + deadline_ms;

	for (;;) {
		struct pollfd events[] = {
			{.fd = s->signals, .events = POLLIN},
			{.fd = s->pidfd, .events = POLLIN},
			{.fd = s->errors_read, .events = POLLIN},
		};
		long long left = end - now_ms();

		if (left <= 0) {
			stop(s, result, SUPERVISED_LATE, 0);
			return;
		}
		if (poll(events, sizeof(events) / sizeof(events[0]), (int)left) < 0)
			continue;
		int signal_number = events[0].revents ? stop_request(s) : 0;
		if (signal_number) {
			stop(s, result, SUPERVISED_STOPPED, signal_number);
			return;
		}
		if (events[1].revents) {
			collect(s, result);
			return;
		}
		if (events[2].revents && !read_errors(s, result))
			close_one(&s->errors_read);
	}
}

void supervise(char *argv[], const int *files, size_t file_count, unsigned deadline_ms,
	struct supervised *result)
{
	struct supervision s = {.files = files, .file_count = file_count, .child = -1, CLOSED};
	pid_t parent = getppid();

	*result = (struct supervised){.end = SUPERVISED_BROKEN, .status = EXIT_FAILURE};
	if (!prepare(&s))
		goto broken;
	/* Orphans of the command come here, so that its whole group can be reaped. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) || prctl(PR_SET_CHILD_SUBREAPER, 1))
		goto broken;
	/* One that has ended just now sends no signal any more. */
	if (getppid() != parent)
		raise(SIGTERM);
	if (!start(&s, argv))
		goto broken;
	watch_over(&s, deadline_ms, result);
	goto out;

broken:
	result->error = errno;
	if (s.child > 0)
		result->unkillable = !reap_group(s.child, DEATH_MS);
out:
	announce(0);
	close_all(&s);
}

void supervise_end_by(int signal_number)
{
	signal(signal_number, SIG_DFL);
	if (signal_number)
		raise(signal_number);
	exit(EXIT_FAILURE);
}
