/* SPDX-License-Identifier: LGPL-2.1-only */
/* The tree of nodes: shared between snapshots, copied when written to. */
#include "tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "path.h"

struct blob *blob_new(const void *data, size_t length)
{
	struct blob *blob;

	if (!length)
		return NULL;
	blob = alloc_array(NULL, sizeof(*blob) + length, 1);
	blob->refs = 1;
	blob->length = length;
	memcpy(blob->data, data, length);
	return blob;
}

struct blob *blob_ref(struct blob *blob)
{
	if (blob)
		blob->refs++;
	return blob;
}

void blob_unref(struct blob *blob)
{
	if (blob && --blob->refs == 0)
		free(blob);
}

static struct node *node_new(const struct path_part *name, struct perms *perms)
{
	struct node *node = alloc_zeroed(sizeof(*node) + name->length + 1);

	node->refs = 1;
	node->perms = perms;
	node->name_length = name->length;
	memcpy(node->name, name->name, name->length);
	return node;
}

struct node *node_ref(struct node *node)
{
	if (node)
		node->refs++;
	return node;
}

/* The recursion is bounded by the number of components a path can have. */
void node_unref(struct node *node)
{
	if (!node || --node->refs > 0)
		return;
	for (size_t i = 0; i < node->child_count; i++)
		node_unref(node->children[i]);
	free(node->children);
	perms_unref(node->perms);
	blob_unref(node->value);
	free(node);
}

/* A copy of `node` alone; the children are shared with it. */
static struct node *node_copy(const struct node *node)
{
	struct path_part name = {.name = node->name, .length = node->name_length};
	struct node *copy = node_new(&name, perms_ref(node->perms));

	copy->generation = node->generation;
	copy->value = blob_ref(node->value);
	if (!node->child_count)
		return copy;
	copy->child_count = node->child_count;
	copy->child_capacity = node->child_count;
	copy->children = alloc_array(NULL, node->child_count, sizeof(struct node *));
	for (size_t i = 0; i < node->child_count; i++)
		copy->children[i] = node_ref(node->children[i]);
	return copy;
}

/* Makes sure that nobody else sees changes of the node that `*slot` points to. */
static struct node *node_own(struct node **slot)
{
	struct node *shared = *slot;

	if (shared->refs == 1)
		return shared;
	*slot = node_copy(shared);
	node_unref(shared);
	return *slot;
}

static int compare_name(const struct path_part *name, const struct node *node)
{
	size_t common = name->length < node->name_length ? name->length : node->name_length;
	int order = memcmp(name->name, node->name, common);

	if (order)
		return order;
	return (name->length > node->name_length) - (name->length < node->name_length);
}

/* Looks for a child. `*position` becomes its index, or the one it would have. */
static bool child_find(const struct node *node, const struct path_part *name, size_t *position)
{
	size_t low = 0;
	size_t high = node->child_count;

	/* Nodes often come sorted: see first whether this one belongs at the end. */
	if (high && compare_name(name, node->children[high - 1]) > 0)
		low = high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_name(name, node->children[middle]);

		if (order == 0) {
			*position = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*position = low;
	return false;
}

static void child_insert(struct node *node, size_t position, struct node *child)
{
	node->children = alloc_grow(
		node->children, node->child_count, &node->child_capacity, sizeof(struct node *));
	memmove(&node->children[position + 1], &node->children[position],
		(node->child_count - position) * sizeof(struct node *));
	node->children[position] = child;
	node->child_count++;
}

struct node *node_find(struct node *node, const char *path)
{
	struct path_part part;
	size_t position;

	while (path_next(&path, &part)) {
		if (!child_find(node, &part, &position))
			return NULL;
		node = node->children[position];
	}
	return node;
}

static struct tree_share *share_of(struct tree *tree, unsigned int domid)
{
	for (size_t i = 0; i < tree->share_count; i++) {
		if (tree->shares[i].domid == domid)
			return &tree->shares[i];
	}
	tree->shares = alloc_grow(
		tree->shares, tree->share_count, &tree->share_capacity, sizeof(tree->shares[0]));
	tree->shares[tree->share_count] = (struct tree_share){.domid = domid};
	return &tree->shares[tree->share_count++];
}

static void count_removal(struct tree *tree, const struct node *node)
{
	share_of(tree, node->perms->list[0].domid)->nodes--;
	for (size_t i = 0; i < node->child_count; i++)
		count_removal(tree, node->children[i]);
}

void tree_init(struct tree *tree)
{
	struct path_part no_name = {.name = "", .length = 0};

	memset(tree, 0, sizeof(*tree));
	tree->root = node_new(&no_name, perms_new(0));
	share_of(tree, 0)->nodes++;
}

void tree_snapshot(struct tree *copy, const struct tree *tree)
{
	copy->root = node_ref(tree->root);
	copy->share_count = tree->share_count;
	copy->share_capacity = tree->share_count;
	copy->shares = alloc_array(NULL, tree->share_count, sizeof(tree->shares[0]));
	memcpy(copy->shares, tree->shares, tree->share_count * sizeof(tree->shares[0]));
}

void tree_free(struct tree *tree)
{
	node_unref(tree->root);
	free(tree->shares);
	memset(tree, 0, sizeof(*tree));
}

struct node *tree_find(const struct tree *tree, const char *path)
{
	return node_find(tree->root, path);
}

struct node *tree_find_nearest(const struct tree *tree, const char *path, size_t *missing)
{
	struct node *node = tree->root;
	struct path_part part;

	*missing = 0;
	while (path_next(&path, &part)) {
		size_t position;

		if (*missing || !child_find(node, &part, &position))
			++*missing;
		else
			node = node->children[position];
	}
	return node;
}

size_t tree_nodes_of(const struct tree *tree, unsigned int domid)
{
	for (size_t i = 0; i < tree->share_count; i++) {
		if (tree->shares[i].domid == domid)
			return tree->shares[i].nodes;
	}
	return 0;
}

static struct node *create_child(struct tree *tree, struct node *parent, size_t position,
	const struct path_part *name, int64_t owner)
{
	struct perms *perms = owner == OWNER_INHERITED
				      ? perms_ref(parent->perms)
				      : perms_with_owner(parent->perms, (unsigned int)owner);
	struct node *child = node_new(name, perms);

	share_of(tree, perms->list[0].domid)->nodes++;
	child_insert(parent, position, child);
	return child;
}

void tree_create(struct tree *tree, int64_t owner, const char *path, uint64_t generation)
{
	struct node *node = node_own(&tree->root);
	struct path_part part;

	while (path_next(&path, &part)) {
		size_t position;

		if (child_find(node, &part, &position)) {
			node = node_own(&node->children[position]);
			continue;
		}
		node->generation = generation;
		node = create_child(tree, node, position, &part, owner);
		node->generation = generation;
	}
}

/* The existing node at `path`, for writing: all on the way to it are this tree's own. */
static struct node *own_path(struct tree *tree, const char *path, uint64_t generation)
{
	struct node *node = node_own(&tree->root);
	struct path_part part;
	size_t position;

	while (path_next(&path, &part) && child_find(node, &part, &position))
		node = node_own(&node->children[position]);
	node->generation = generation;
	return node;
}

void tree_set_value(struct tree *tree, const char *path, struct blob *value, uint64_t generation)
{
	struct node *node = own_path(tree, path, generation);

	blob_ref(value);
	blob_unref(node->value);
	node->value = value;
}

void tree_set_perms(struct tree *tree, const char *path, struct perms *perms, uint64_t generation)
{
	struct node *node = own_path(tree, path, generation);

	share_of(tree, node->perms->list[0].domid)->nodes--;
	share_of(tree, perms->list[0].domid)->nodes++;
	perms_ref(perms);
	perms_unref(node->perms);
	node->perms = perms;
}

void tree_remove(struct tree *tree, const char *path, uint64_t generation)
{
	const char *slash = strrchr(path, '/');
	struct path_part name = {.name = slash + 1, .length = strlen(slash + 1)};
	char *parent_path = alloc_string(path, (size_t)(slash - path));
	struct node *parent = own_path(tree, parent_path, generation);
	size_t position;

	free(parent_path);
	if (!child_find(parent, &name, &position))
		return;
	count_removal(tree, parent->children[position]);
	node_unref(parent->children[position]);
	parent->child_count--;
	memmove(&parent->children[position], &parent->children[position + 1],
		(parent->child_count - position) * sizeof(struct node *));
}
