/* SPDX-License-Identifier: LGPL-2.1-only */
/* Time limits: libxenstore, lock waits and the system log would otherwise block for ever. */
#include "deadline.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "status.h"

#define REPEAT_MS 50

/* What a signal handler works with has to be static. It changes only while the timer is off. */
static struct {
	char sentence[2 * SENTENCE_LIMIT];
	size_t length; /* 0: only interrupt */
	volatile sig_atomic_t passed;
} alarm_state;

/* See deadline_limit(); 0: none. */
static long long limit_end;

long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void deadline_limit(long long end)
{
	limit_end = end;
}

unsigned deadline_within(unsigned ms)
{
	long long left = limit_end ? limit_end - now_ms() : ms;

	if (left > ms)
		return ms ? ms : 1;
	return left > 0 ? (unsigned)left : 1;
}

static void on_alarm(int signal_number)
{
	(void)signal_number;
	alarm_state.passed = 1;
	if (!alarm_state.length)
		return;
	/* What failed was told already: only the end, with its cleaning up, takes too long. */
	if (!complained()) {
		ssize_t written = write(STDERR_FILENO, alarm_state.sentence, alarm_state.length);
		(void)written; /* there is nobody left to tell */
	}
	_exit(STATUS_LATE);
}

static void set_timer(unsigned ms, unsigned repeat_ms)
{
	struct itimerval timer = {
		.it_value = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000},
		.it_interval = {.tv_usec = (suseconds_t)repeat_ms * 1000},
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void start_timer(unsigned ms, unsigned repeat_ms)
{
	/* Without SA_RESTART: a blocking call is to end. */
	struct sigaction action = {.sa_handler = on_alarm};
	sigset_t alarm_set;

	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	sigaction(SIGALRM, &action, NULL);
	/* Whoever started this program may have had the signal blocked. */
	sigprocmask(SIG_UNBLOCK, &alarm_set, NULL);
	set_timer(deadline_within(ms), repeat_ms);
}

void deadline_exit(unsigned ms, const char *format, ...)
{
	va_list arguments;

	deadline_clear();
	va_start(arguments, format);
	int length = vsnprintf(
		alarm_state.sentence, sizeof(alarm_state.sentence) - 1, format, arguments);
	va_end(arguments);
	if (length < 0)
		alarm_state.sentence[0] = '\0';
	alarm_state.length = strlen(alarm_state.sentence);
	alarm_state.sentence[alarm_state.length++] = '\n';
	start_timer(ms, 0);
}

void deadline_store(unsigned ms)
{
	deadline_exit(ms,
		"The store did not answer within %g s; see whether xenstored runs and xenstore-ls "
		"answers, then try again.",
		deadline_within(ms) / 1000.0);
}

void deadline_interrupt(unsigned ms)
{
	deadline_clear();
	start_timer(ms, REPEAT_MS);
}

bool deadline_passed(void)
{
	return alarm_state.passed;
}

void deadline_clear(void)
{
	set_timer(0, 0);
	alarm_state.length = 0;
	alarm_state.passed = 0;
}
