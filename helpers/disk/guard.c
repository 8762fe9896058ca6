/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs a function in a process that can be ended: a dead file server blocks all but SIGKILL. */
#include "guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a process may take to die of SIGKILL. */
#define DEATH_MS 200

void *guard_memory(size_t size)
{
	void *memory = mmap(
		NULL, size ? size : 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void guard_memory_free(void *memory, size_t size)
{
	if (memory)
		munmap(memory, size ? size : 1);
}

static _Noreturn void be_child(pid_t parent, void (*work)(void *context), void *context)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	/* One that is left behind holds no lock. */
	closefrom(0);
	work(context);
	_exit(0);
}

static bool ends_within(int pidfd, int ms)
{
	struct pollfd event = {.fd = pidfd, .events = POLLIN};
	int ready;

	while ((ready = poll(&event, 1, ms)) < 0 && errno == EINTR)
		;
	return ready > 0;
}

static size_t read_progress(atomic_size_t *progress)
{
	return progress ? atomic_load(progress) : 0;
}

static enum guard_end collect(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return GUARD_FAILED;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? GUARD_DONE : GUARD_FAILED;
}

static enum guard_end watch(pid_t child, int pidfd, atomic_size_t *progress, unsigned ms)
{
	size_t before;

	do {
		before = read_progress(progress);
		if (ends_within(pidfd, (int)ms))
			return collect(child);
	} while (read_progress(progress) != before);
	kill(child, SIGKILL);
	if (ends_within(pidfd, DEATH_MS))
		collect(child);
	return GUARD_STUCK;
}

enum guard_end guard_run(
	void (*work)(void *context), void *context, atomic_size_t *progress, unsigned ms)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (!child)
		be_child(parent, work, context);
	if (child < 0)
		return GUARD_FAILED;
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	if (pidfd < 0) {
		kill(child, SIGKILL);
		collect(child);
		return GUARD_FAILED;
	}
	enum guard_end end = watch(child, pidfd, progress, ms);
	close(pidfd);
	return end;
}
