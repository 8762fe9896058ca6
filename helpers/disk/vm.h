/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which domains are one virtual machine. */
#ifndef VM_H
#define VM_H

#include <stdbool.h>

#include "store.h"

/*
 * Whether two domains are one virtual machine, so that they may share a disk: a guest and its
 * stubdomain (/local/domain/N/target), or the two ends of a migration on one host (equal
 * /local/domain/N/vm). Where that cannot be read they are not: a wrong yes costs data, a wrong no
 * a sentence. `store` must be connected unless the domains are equal.
 */
bool vm_same(struct store *store, unsigned a, unsigned b);

#endif
