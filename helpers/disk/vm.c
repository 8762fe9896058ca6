/* SPDX-License-Identifier: LGPL-2.1-only */
/* Tells whether two domains are one virtual machine. */
#include "vm.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"

/* The virtual machines of a domain: its own, and that of the domain whose device model it is. */
struct vm_set {
	char *vms[2]; /* NULL: unknown */
};

static void vm_set_read(struct store *store, unsigned domid, struct vm_set *set)
{
	char *target = store_text(store, "/local/domain/%u/target", domid);
	unsigned served;

	set->vms[0] = store_text(store, "/local/domain/%u/vm", domid);
	set->vms[1] = target && parse_domid(target, &served)
			      ? store_text(store, "/local/domain/%u/vm", served)
			      : NULL;
	free(target);
}

static void vm_set_free(struct vm_set *set)
{
	free(set->vms[0]);
	free(set->vms[1]);
}

static bool intersects(const struct vm_set *a, const struct vm_set *b)
{
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++)
			if (a->vms[i] && b->vms[j] && !strcmp(a->vms[i], b->vms[j]))
				return true;
	return false;
}

bool vm_same(struct store *store, unsigned a, unsigned b)
{
	struct vm_set one, other;

	if (a == b)
		return true;
	vm_set_read(store, a, &one);
	vm_set_read(store, b, &other);
	bool same = intersects(&one, &other);
	vm_set_free(&one);
	vm_set_free(&other);
	return same;
}
