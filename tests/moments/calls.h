/* SPDX-License-Identifier: LGPL-2.1-only */
/* System calls: which of them are moments, and how one is put off. */
#ifndef MOMENTS_CALLS_H
#define MOMENTS_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The name of that system call, with these six arguments, where its entry is a
 * moment: where it changes something outside of the process, or waits for
 * somebody. Result: NULL for all others.
 */
const char *call_moment(uint64_t number, const uint64_t *args);

/* Does it start another program in the same process? */
bool call_is_exec(uint64_t number);

/* Is it the end of a signal handler? */
bool call_is_sigreturn(uint64_t number);

/* Did the call with that result not happen, as the kernel will repeat it? */
bool call_is_restarted(int64_t result);

/* Is that AUDIT_ARCH_... the one whose numbers are known here? */
bool call_arch_is_own(uint32_t arch);

/*
 * The thread, which has stopped at the entry of a system call, does not make it
 * now, but again from its beginning when it next runs outside of the kernel and
 * of signal handlers. Result: false with errno, and the call happens at once.
 */
bool call_put_off(pid_t tid);

#endif
