/* SPDX-License-Identifier: LGPL-2.1-only */
/* Transactions: a snapshot, what it was used for, and how it gets into the store. */
#include "store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct trans *trans_start(const struct store *store, unsigned int domid)
{
	struct trans *trans = alloc_zeroed(sizeof(*trans));

	trans->domid = domid;
	tree_snapshot(&trans->base, &store->tree);
	tree_snapshot(&trans->work, &store->tree);
	return trans;
}

void trans_free(struct trans *trans)
{
	for (size_t i = 0; i < trans->op_count; i++)
		op_free(&trans->ops[i]);
	free(trans->ops);
	strset_free(&trans->touched);
	tree_free(&trans->base);
	tree_free(&trans->work);
	free(trans);
}

void trans_touch(struct trans *trans, const char *path)
{
	strset_add(&trans->touched, path);
}

/* Generations are unique, so a node that was removed and created again differs as well. */
static bool changed_since(const struct tree *base, const struct tree *now, const char *path)
{
	const struct node *then_node = tree_find(base, path);
	const struct node *now_node = tree_find(now, path);

	if (!then_node || !now_node)
		return then_node != now_node;
	return then_node->generation != now_node->generation;
}

static bool has_conflict(const struct trans *trans, const struct tree *now)
{
	/* The snapshot holds on to its root: still the same root means nothing was changed. */
	if (trans->base.root == now->root)
		return false;
	for (size_t i = 0; i < trans->touched.slot_count; i++) {
		const char *path = trans->touched.slots[i];

		if (path && changed_since(&trans->base, now, path))
			return true;
	}
	return false;
}

int trans_commit(const struct trans *trans, struct store *store, struct changes *changes)
{
	struct tree result;

	if (has_conflict(trans, &store->tree))
		return EAGAIN;
	if (!trans->op_count)
		return 0;
	/* Others may have changed nodes it has nothing to do with: do its operations again. */
	tree_snapshot(&result, &store->tree);
	for (size_t i = 0; i < trans->op_count; i++)
		op_run(&trans->ops[i], &result, ++store->generation, changes);
	if (trans->domid != 0 && tree_nodes_of(&result, trans->domid) > store->quota.nodes &&
		tree_nodes_of(&result, trans->domid) > tree_nodes_of(&store->tree, trans->domid)) {
		tree_free(&result);
		if (changes)
			changes_free(changes);
		return ENOSPC;
	}
	tree_free(&store->tree);
	store->tree = result;
	return 0;
}
