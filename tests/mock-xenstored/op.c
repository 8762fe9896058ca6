/* SPDX-License-Identifier: LGPL-2.1-only */
/* Operations that change a tree, and the changes that watches are told of. */
#include "op.h"

#include <stdlib.h>
#include <string.h>

static int64_t owner_of_new_nodes(const struct op *op)
{
	return op->domid == 0 ? OWNER_INHERITED : (int64_t)op->domid;
}

static void run(const struct op *op, struct tree *tree, uint64_t generation)
{
	switch (op->kind) {
	case OP_WRITE:
		tree_create(tree, owner_of_new_nodes(op), op->path, generation);
		tree_set_value(tree, op->path, op->value, generation);
		break;
	case OP_MKDIR:
		tree_create(tree, owner_of_new_nodes(op), op->path, generation);
		break;
	case OP_RM:
		tree_remove(tree, op->path, generation);
		break;
	case OP_SET_PERMS:
		tree_set_perms(tree, op->path, op->perms, generation);
		break;
	}
}

void op_run(const struct op *op, struct tree *tree, uint64_t generation, struct changes *changes)
{
	struct change change = {0};
	struct node *node;

	if (!changes) {
		run(op, tree, generation);
		return;
	}
	node = tree_find(tree, op->path);
	if (node)
		change.before = perms_ref(node->perms);
	if (op->kind == OP_RM)
		change.removed = node_ref(node);
	run(op, tree, generation);
	node = tree_find(tree, op->path);
	if (node)
		change.after = perms_ref(node->perms);
	change.path = alloc_string(op->path, strlen(op->path));
	changes->list = alloc_grow(
		changes->list, changes->count, &changes->capacity, sizeof(changes->list[0]));
	changes->list[changes->count++] = change;
}

void op_free(struct op *op)
{
	free(op->path);
	blob_unref(op->value);
	perms_unref(op->perms);
	memset(op, 0, sizeof(*op));
}

void changes_free(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->list[i].path);
		perms_unref(changes->list[i].before);
		perms_unref(changes->list[i].after);
		node_unref(changes->list[i].removed);
	}
	free(changes->list);
	memset(changes, 0, sizeof(*changes));
}
