/* SPDX-License-Identifier: LGPL-2.1-only */
/* Descriptors that a worker leaves to the parent of a call, with what they lock. */
#ifndef KEEP_H
#define KEEP_H

#include <stdbool.h>

/* In the parent, before it starts workers. Result: false with errno. */
bool keep_open(void);

/*
 * In a worker: hands `fd` to the parent, and closes it. Without a parent, as where this program is
 * started by hand, `fd` stays open until the end.
 */
void keep_send(int fd);

/* In the parent. Result: a descriptor that a worker has sent, or -1 if there is none. */
int keep_receive(void);

#endif
