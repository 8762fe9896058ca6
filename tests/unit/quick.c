/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * LD_PRELOAD=quick.so QUICK=N: to the program, N times as much time passes, by its monotonic
 * clock, its timer and poll(2). So a test need not wait for as long as a program would.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#define NANOSECONDS 1000000000LL

static long long factor = 1;

__attribute__((constructor)) static void read_factor(void)
{
	const char *text = getenv("QUICK");

	/* The program may clear its environment later. */
	if (text && strtoll(text, NULL, 10) > 0)
		factor = strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int (*real)(clockid_t, struct timespec *);

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	if (real(clock, now))
		return -1;
	if (clock == CLOCK_MONOTONIC) {
		long long time = (now->tv_sec * NANOSECONDS + now->tv_nsec) * factor;

		now->tv_sec = time / NANOSECONDS;
		now->tv_nsec = time % NANOSECONDS;
	}
	return 0;
}

int poll(struct pollfd *events, nfds_t count, int ms)
{
	int (*real)(struct pollfd *, nfds_t, int);

	*(void **)&real = dlsym(RTLD_NEXT, "poll");
	return real(events, count, ms > 0 ? (int)((ms + factor - 1) / factor) : ms);
}

static struct timeval shortened(struct timeval time)
{
	long long us = time.tv_sec * 1000000LL + time.tv_usec;

	us = (us + factor - 1) / factor;
	return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

int setitimer(__itimer_which_t which, const struct itimerval *value, struct itimerval *old)
{
	int (*real)(__itimer_which_t, const struct itimerval *, struct itimerval *);
	struct itimerval sooner = {.it_interval = shortened(value->it_interval),
		.it_value = shortened(value->it_value)};

	*(void **)&real = dlsym(RTLD_NEXT, "setitimer");
	return real(which, &sooner, old);
}
