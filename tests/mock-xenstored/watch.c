/* SPDX-License-Identifier: LGPL-2.1-only */
/* Watches of a connection, and which of them a change concerns. */
#include "watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "path.h"

static struct watch *find(const struct watches *watches, const char *path, const char *token)
{
	for (size_t i = 0; i < watches->count; i++) {
		struct watch *watch = &watches->list[i];

		if (strcmp(watch->path, path) == 0 && strcmp(watch->token, token) == 0)
			return watch;
	}
	return NULL;
}

int watches_add(struct watches *watches, const struct watch *watch)
{
	if (find(watches, watch->path, watch->token))
		return EEXIST;
	watches->list = alloc_grow(
		watches->list, watches->count, &watches->capacity, sizeof(watches->list[0]));
	watches->list[watches->count++] = (struct watch){
		.path = alloc_string(watch->path, strlen(watch->path)),
		.token = alloc_string(watch->token, strlen(watch->token)),
		.prefix = watch->prefix,
	};
	return 0;
}

static void free_strings(struct watch *watch)
{
	free(watch->path);
	free(watch->token);
}

int watches_remove(struct watches *watches, const char *path, const char *token)
{
	struct watch *watch = find(watches, path, token);
	size_t behind;

	if (!watch)
		return ENOENT;
	free_strings(watch);
	behind = watches->count - (size_t)(watch - watches->list) - 1;
	memmove(watch, watch + 1, behind * sizeof(*watch));
	watches->count--;
	return 0;
}

void watches_free(struct watches *watches)
{
	for (size_t i = 0; i < watches->count; i++)
		free_strings(&watches->list[i]);
	free(watches->list);
	memset(watches, 0, sizeof(*watches));
}

static bool may_read(const struct perms *perms, unsigned int domid)
{
	return perms && (perms_of(perms, domid) & PERM_READ);
}

/* A removed node below the changed one: its own watch fires, with its own path. */
static void fire_below(const struct watch *watch, const struct change *change, unsigned int domid,
	watch_emit *emit, void *context)
{
	const struct node *node;
	size_t length = strlen(change->path);

	if (!change->removed || strcmp(watch->path, change->path) == 0 ||
		!path_is_within(watch->path, change->path))
		return;
	node = node_find(change->removed, watch->path + length);
	if (node && may_read(node->perms, domid))
		emit(context, watch->path + watch->prefix, watch->token);
}

static void fire_above(const struct watch *watch, const struct change *change, unsigned int domid,
	watch_emit *emit, void *context)
{
	if (!path_is_within(change->path, watch->path))
		return;
	if (domid == 0 || may_read(change->before, domid) || may_read(change->after, domid))
		emit(context, change->path + watch->prefix, watch->token);
}

void watches_fire(const struct watches *watches, const struct change *change, unsigned int domid,
	watch_emit *emit, void *context)
{
	for (size_t i = 0; i < watches->count; i++)
		fire_below(&watches->list[i], change, domid, emit, context);
	for (size_t i = 0; i < watches->count; i++)
		fire_above(&watches->list[i], change, domid, emit, context);
}
