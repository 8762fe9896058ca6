/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The tree of nodes. Nodes are shared between trees and copied when written to, so a snapshot
 * costs next to nothing. Nothing here knows of domains' rights, quotas or watches.
 */
#ifndef MOCK_TREE_H
#define MOCK_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "perms.h"

/* A value. Never changed once in use, hence shared. */
struct blob {
	unsigned int refs;
	size_t length;
	unsigned char data[];
};

struct node {
	unsigned int refs;
	uint64_t generation; /* of the last change of value, permissions or list of children */
	struct blob *value;  /* NULL: empty */
	struct perms *perms;
	struct node **children; /* sorted by name */
	size_t child_count;
	size_t child_capacity;
	size_t name_length;
	char name[];
};

/* How many nodes a domain owns. */
struct tree_share {
	unsigned int domid;
	size_t nodes;
};

struct tree {
	struct node *root;
	struct tree_share *shares;
	size_t share_count;
	size_t share_capacity;
};

/* Who is to own new nodes: a domain, or (OWNER_INHERITED) whoever owns their parent. */
#define OWNER_INHERITED (-1)

/* Makes a value of `length` bytes; NULL if that is none. The caller has a reference. */
struct blob *blob_new(const void *data, size_t length);

/* One reference more; returns `blob`. NULL is allowed. */
struct blob *blob_ref(struct blob *blob);

/* One reference less. NULL is allowed. */
void blob_unref(struct blob *blob);

/* One reference more; returns `node`. NULL is allowed. */
struct node *node_ref(struct node *node);

/* One reference less. NULL is allowed. */
void node_unref(struct node *node);

/* The node at the absolute `path` below `node` ("/" is `node` itself), or NULL. */
struct node *node_find(struct node *node, const char *path);

/* Makes `tree` a root without children, owned by domain 0 and closed to others. */
void tree_init(struct tree *tree);

/* Makes `copy` (not yet a tree) a snapshot of `tree`. */
void tree_snapshot(struct tree *copy, const struct tree *tree);

/* Lets go of everything the tree holds. */
void tree_free(struct tree *tree);

/* The node at the valid absolute `path`, or NULL. */
struct node *tree_find(const struct tree *tree, const char *path);

/*
 * The deepest node on the way to `path` that exists (the node itself, if it does). `*missing`
 * becomes the number of components that are missing below it.
 */
struct node *tree_find_nearest(const struct tree *tree, const char *path, size_t *missing);

/* How many nodes `domid` owns. */
size_t tree_nodes_of(const struct tree *tree, unsigned int domid);

/* Creates the node at `path` and its missing parents; those that exist are left alone. */
void tree_create(struct tree *tree, int64_t owner, const char *path, uint64_t generation);

/* Gives the existing node at `path` the value (NULL: empty); takes its own reference. */
void tree_set_value(struct tree *tree, const char *path, struct blob *value, uint64_t generation);

/* Gives the existing node at `path` the permissions; takes its own reference. */
void tree_set_perms(struct tree *tree, const char *path, struct perms *perms, uint64_t generation);

/* Removes the existing node at `path`, which is not the root, and all below it. */
void tree_remove(struct tree *tree, const char *path, uint64_t generation);

#endif
