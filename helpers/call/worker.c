/* SPDX-License-Identifier: LGPL-2.1-only */
/* A request is served by a process of its own, which can be ended without ending the rest. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "deadline.h"
#include "disk/guard.h"
#include "reap.h"
#include "status.h"
#include "supervise.h"

/* How long a process may take to die of SIGKILL. */
#define DEATH_MS 500

static bool open_file(int *file, const char *name)
{
	if (*file < 0)
		*file = memfd_create(name, MFD_CLOEXEC);
	return *file >= 0 && !ftruncate(*file, 0) && lseek(*file, 0, SEEK_SET) == 0;
}

/* In the child: is the subcommand. */
static _Noreturn void serve(
	const struct worker *worker, pid_t parent, int argc, char *argv[], long long end_ms)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(STATUS_FAILED);
	/* A person's Control-C is for the parent, which decides what becomes of this. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
		dup2(worker->output, STDOUT_FILENO) < 0 || dup2(worker->errors, STDERR_FILENO) < 0)
		_exit(STATUS_FAILED);
	deadline_limit(end_ms);
	supervise_announce(worker->command);
	optind = 0; /* getopt_long() starts anew */
	exit(command_dispatch(argc, argv));
}

/* What is needed for the first worker, and for all. */
static bool prepare(struct worker *worker)
{
	if (!worker->command)
		worker->command = guard_memory(sizeof(*worker->command));
	/* The children of a command whose worker was killed come here, to be reaped. */
	return worker->command && !prctl(PR_SET_CHILD_SUBREAPER, 1) &&
	       open_file(&worker->output, "xen-hotplug output") &&
	       open_file(&worker->errors, "xen-hotplug errors");
}

bool worker_start(struct worker *worker, int argc, char *argv[], long long end_ms)
{
	pid_t parent = getpid();

	if (!prepare(worker))
		return false;
	worker->pid = fork();
	if (!worker->pid)
		serve(worker, parent, argc, argv, end_ms);
	if (worker->pid < 0) {
		worker->pid = 0;
		return false;
	}
	worker->pidfd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	if (worker->pidfd >= 0)
		return true;
	worker_stop(worker, 0);
	return false;
}

static void forget(struct worker *worker)
{
	if (worker->pidfd >= 0)
		close(worker->pidfd);
	worker->pidfd = -1;
	worker->pid = 0;
}

/* The whole file, with a NUL behind it. Result: NULL where it cannot be read. */
static char *read_file(int file, size_t *length)
{
	struct stat st;

	*length = 0;
	if (fstat(file, &st))
		return NULL;
	char *text = calloc(1, (size_t)st.st_size + 1);
	if (!text || pread(file, text, (size_t)st.st_size, 0) != st.st_size) {
		free(text);
		return NULL;
	}
	*length = (size_t)st.st_size;
	return text;
}

/*
 * Ends the command of a worker that could not do that itself. A command's children would go on, and
 * nobody would hold the lock for them. Result: whether all of it is dead.
 */
static bool end_command(struct worker *worker)
{
	pid_t group = worker->command ? atomic_exchange(worker->command, 0) : 0;

	return group <= 0 || reap_group(group, DEATH_MS);
}

void worker_collect(struct worker *worker, struct worker_end *end)
{
	int wait_status = SIGKILL; /* as of one that was killed */

	reap_within(worker->pid, worker->pidfd, DEATH_MS, &wait_status);
	end_command(worker);
	forget(worker);
	end->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : STATUS_FAILED;
	end->text = read_file(end->status ? worker->errors : worker->output, &end->length);
	if (!end->text && !end->status)
		end->status = STATUS_FAILED;
}

void worker_end_free(struct worker_end *end)
{
	free((char *)end->text);
	*end = (struct worker_end){.text = NULL};
}

bool worker_stop(struct worker *worker, int ms)
{
	bool dead;
	int status;

	if (!worker->pid)
		return true;
	kill(worker->pid, SIGTERM);
	dead = reap_within(worker->pid, worker->pidfd, ms, &status);
	if (!dead) {
		kill(worker->pid, SIGKILL);
		dead = reap_within(worker->pid, worker->pidfd, DEATH_MS, &status);
	}
	dead &= end_command(worker);
	forget(worker);
	return dead;
}

void worker_free(struct worker *worker)
{
	if (worker->output >= 0)
		close(worker->output);
	if (worker->errors >= 0)
		close(worker->errors);
	guard_memory_free(worker->command, sizeof(*worker->command));
	*worker = WORKER_NONE;
}
