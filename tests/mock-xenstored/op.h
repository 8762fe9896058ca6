/* SPDX-License-Identifier: LGPL-2.1-only */
/* Operations that change a tree, and the changes that watches are told of. */
#ifndef MOCK_OP_H
#define MOCK_OP_H

#include "tree.h"

enum op_kind {
	OP_WRITE,
	OP_MKDIR,
	OP_RM,
	OP_SET_PERMS,
};

/* An operation on its own: a transaction keeps a list of them, to repeat when it commits. */
struct op {
	enum op_kind kind;
	unsigned int domid;  /* whose operation it is */
	char *path;	     /* valid and absolute; owned */
	struct blob *value;  /* of OP_WRITE; owned */
	struct perms *perms; /* of OP_SET_PERMS; owned */
};

/* What happened to a node. */
struct change {
	char *path;
	struct perms *before; /* NULL: it did not exist */
	struct perms *after;  /* NULL: it does not exist any more */
	struct node *removed; /* with all below it, if that is what happened */
};

/* Starts as all zeroes. */
struct changes {
	struct change *list;
	size_t count;
	size_t capacity;
};

/*
 * Does the operation, which has been found possible: the node of OP_RM and OP_SET_PERMS exists.
 * The nodes it changes get `generation`. Appends to `changes`, unless that is NULL.
 */
void op_run(const struct op *op, struct tree *tree, uint64_t generation, struct changes *changes);

/* Frees what the operation owns and leaves it empty. */
void op_free(struct op *op);

/* Frees the list; it is empty and usable afterwards. */
void changes_free(struct changes *changes);

#endif
