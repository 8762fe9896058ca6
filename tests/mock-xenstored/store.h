/* SPDX-License-Identifier: LGPL-2.1-only */
/* The store that domains see: a tree with permissions and quotas, and transactions on it. */
#ifndef MOCK_STORE_H
#define MOCK_STORE_H

#include "op.h"
#include "strset.h"

/* What each domain other than 0 may have. */
struct quota {
	uint64_t nodes;
	uint64_t value_size;
	uint64_t watches;
	uint64_t transactions;
};

struct store {
	struct tree tree;
	uint64_t generation; /* the last one given to a change, in a transaction or not */
	struct quota quota;
};

/* A transaction works on a snapshot of its own. */
struct trans {
	struct trans *next; /* for the list of whoever started it */
	uint32_t id;
	unsigned int domid;
	struct tree base;      /* as it began; never changed, so its nodes tell what others did */
	struct tree work;      /* with its own changes */
	struct strset touched; /* paths it read or wrote, whether or not they exist */
	struct op *ops;
	size_t op_count;
	size_t op_capacity;
};

/*
 * Looks for a node, on behalf of domain `domid`, which must have all permissions in `need`. With
 * `trans` (NULL: none) in that transaction. Returns 0 and sets `*node`, or ENOENT, or EACCES.
 */
int store_find(struct store *store, struct trans *trans, const char *path, unsigned int domid,
	unsigned int need, struct node **node);

/*
 * Does `op` if its domain may, in `trans` or (NULL) right away; takes over what `op` owns in any
 * case. Appends to `changes`, unless that is NULL or the change is only the transaction's.
 * Returns 0, EACCES, EINVAL, ENOENT, ENOSPC (quota) or EPERM (giving a node away).
 */
int store_do(struct store *store, struct trans *trans, struct op *op, struct changes *changes);

/* Begins a transaction of domain `domid`; its id is up to the caller. */
struct trans *trans_start(const struct store *store, unsigned int domid);

/*
 * Makes the transaction's changes the store's; it must be freed afterwards. Appends to `changes`,
 * unless NULL. Returns 0; EAGAIN if a node it touched was changed meanwhile; ENOSPC (quota).
 */
int trans_commit(const struct trans *trans, struct store *store, struct changes *changes);

/* Ends the transaction; what was not committed is lost. */
void trans_free(struct trans *trans);

/* Notes that the transaction depends on the node at `path`, or on there being none. */
void trans_touch(struct trans *trans, const char *path);

#endif
