/* SPDX-License-Identifier: LGPL-2.1-only */
/* Tells whether two domains are one virtual machine. */
#ifndef VM_H
#define VM_H

#include <stdbool.h>

#include "store.h"

/*
 * Whether two domains are one virtual machine and may therefore share a disk: a guest and its
 * stubdomain (/local/domain/N/target), or both ends of a migration on one host (equal
 * /local/domain/N/vm). If these nodes cannot be read the result is false, because a wrong true
 * costs data and a wrong false only a refusal. `store` must be connected unless a == b.
 */
bool vm_same(struct store *store, unsigned a, unsigned b);

#endif
