/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs a function in a process that can be ended: a dead file server blocks all but SIGKILL. */
#include "guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reap.h"

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

static size_t read_progress(atomic_size_t *progress)
{
	return progress ? atomic_load(progress) : 0;
}

static enum guard_end watch(pid_t child, int pidfd, atomic_size_t *progress, unsigned ms)
{
	int status = SIGKILL; /* as of one that was killed */
	size_t before;

	do {
		before = read_progress(progress);
		if (reap_within(child, pidfd, (int)ms, &status))
			return WIFEXITED(status) && !WEXITSTATUS(status) ? GUARD_DONE
									 : GUARD_FAILED;
	} while (read_progress(progress) != before);
	kill(child, SIGKILL);
	reap_within(child, pidfd, DEATH_MS, &status);
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
	enum guard_end end = watch(child, pidfd, progress, ms);
	if (pidfd >= 0)
		close(pidfd);
	return end;
}
