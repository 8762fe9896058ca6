/* SPDX-License-Identifier: LGPL-2.1-only */
/* The store that domains see: who may do what to which node, and how much of it. */
#include "store.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "path.h"

/* An operation, and where it is to happen. */
struct attempt {
	const struct store *store;
	struct trans *trans; /* NULL: in the store itself */
	const struct tree *tree;
	const struct op *op;
	size_t missing; /* components of its path that do not exist */
};

static struct tree *tree_of(struct store *store, struct trans *trans)
{
	return trans ? &trans->work : &store->tree;
}

/* What the domain may do to a missing node is up to the nearest one that exists. */
static int permit(const struct node *nearest, unsigned int domid, unsigned int need)
{
	return (perms_of(nearest->perms, domid) & need) == need ? 0 : EACCES;
}

int store_find(struct store *store, struct trans *trans, const char *path, unsigned int domid,
	unsigned int need, struct node **node)
{
	size_t missing;
	int error;

	if (trans)
		trans_touch(trans, path);
	*node = tree_find_nearest(tree_of(store, trans), path, &missing);
	error = permit(*node, domid, need);
	if (error)
		return error;
	return missing ? ENOENT : 0;
}

/* Creating nodes depends on all that were missing, and on the list of children they enter. */
static void touch_creation(const struct attempt *attempt)
{
	char path[PATH_ROOM];

	path_copy(path, attempt->op->path);
	trans_touch(attempt->trans, path);
	for (size_t i = 0; i < attempt->missing; i++) {
		if (!path_to_parent(path))
			return;
		trans_touch(attempt->trans, path);
	}
}

/* `path` (PATH_ROOM bytes) is the path of `node`, and again when this returns. */
static void touch_below(struct trans *trans, const struct node *node, char *path)
{
	size_t length = strlen(path);

	trans_touch(trans, path);
	for (size_t i = 0; i < node->child_count; i++) {
		path[length] = '/';
		memcpy(path + length + 1, node->children[i]->name,
			node->children[i]->name_length + 1);
		touch_below(trans, node->children[i], path);
		path[length] = '\0';
	}
}

/* Removing a node depends on all below it, and on the list of children that it leaves. */
static void touch_removal(const struct attempt *attempt, const struct node *node)
{
	char path[PATH_ROOM];

	path_copy(path, attempt->op->path);
	if (attempt->missing)
		trans_touch(attempt->trans, path);
	else
		touch_below(attempt->trans, node, path);
	if (path_to_parent(path))
		trans_touch(attempt->trans, path);
}

static int check_quota(const struct attempt *attempt)
{
	const struct op *op = attempt->op;
	const struct quota *quota = &attempt->store->quota;

	if (op->domid == 0)
		return 0;
	if (op->value && op->value->length > quota->value_size)
		return ENOSPC;
	if (attempt->missing &&
		tree_nodes_of(attempt->tree, op->domid) + attempt->missing > quota->nodes)
		return ENOSPC;
	return 0;
}

/* These check whether the operation can be done. `*needless`: it can, but would change nothing. */

static int check_creation(const struct attempt *attempt, const struct node *nearest, bool *needless)
{
	int error = permit(nearest, attempt->op->domid, PERM_WRITE);

	if (error)
		return error;
	*needless = attempt->op->kind == OP_MKDIR && !attempt->missing;
	return check_quota(attempt);
}

static int check_removal(const struct attempt *attempt, const struct node *nearest, bool *needless)
{
	int error = permit(nearest, attempt->op->domid, PERM_WRITE);

	if (error)
		return error;
	if (strcmp(attempt->op->path, "/") == 0)
		return EINVAL;
	*needless = attempt->missing == 1;
	return attempt->missing > 1 ? ENOENT : 0;
}

static int check_set_perms(const struct attempt *attempt, const struct node *nearest)
{
	const struct op *op = attempt->op;
	int error = permit(nearest, op->domid, PERM_OWNER);

	if (error)
		return error;
	if (attempt->missing)
		return ENOENT;
	if (op->domid != 0 && op->perms->list[0].domid != nearest->perms->list[0].domid)
		return EPERM;
	return 0;
}

static int check(struct attempt *attempt, bool *needless)
{
	const struct op *op = attempt->op;
	const struct node *nearest = tree_find_nearest(attempt->tree, op->path, &attempt->missing);

	switch (op->kind) {
	case OP_WRITE:
	case OP_MKDIR:
		if (attempt->trans)
			touch_creation(attempt);
		return check_creation(attempt, nearest, needless);
	case OP_RM:
		if (attempt->trans)
			touch_removal(attempt, nearest);
		return check_removal(attempt, nearest, needless);
	case OP_SET_PERMS:
		if (attempt->trans)
			trans_touch(attempt->trans, op->path);
		return check_set_perms(attempt, nearest);
	}
	return EINVAL;
}

static void remember(struct trans *trans, struct op *op)
{
	trans->ops = alloc_grow(trans->ops, trans->op_count, &trans->op_capacity, sizeof(*op));
	trans->ops[trans->op_count++] = *op;
	memset(op, 0, sizeof(*op));
}

int store_do(struct store *store, struct trans *trans, struct op *op, struct changes *changes)
{
	struct tree *tree = tree_of(store, trans);
	struct attempt attempt = {.store = store, .trans = trans, .tree = tree, .op = op};
	bool needless = false;
	int error = check(&attempt, &needless);

	if (!error && !needless) {
		op_run(op, tree, ++store->generation, trans ? NULL : changes);
		if (trans)
			remember(trans, op);
	}
	op_free(op);
	return error;
}
