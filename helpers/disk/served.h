/* SPDX-License-Identifier: LGPL-2.1-only */
/* Disks that programs (QEMU, tapdisk) serve to guests. */
#ifndef SERVED_H
#define SERVED_H

#include "disk.h"
#include "guests.h"
#include "relatives.h"
#include "store.h"

/*
 * Adds to the list the guests' devices whose backend is a program (qdisk, vbd3 and virtio_disk, in
 * the siblings of `base`) and the device models of HVM guests, as far as they overlap with the
 * disk.
 *
 * What a program serves is what it has open. Its process is found by services_read(), and
 * process_serves() decides whether it is still that process. Without such a process, the path in
 * `params` and the backing files that headers of qcow2 name count, if they can be resolved without
 * asking a server; and any process counts that has the disk open for writing.
 *
 * Costs two requests to the store if no guest is served so.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint. The caller frees the list in either case.
 */
int served_find(struct store *store, const char *base, const struct disk *disk,
	const struct relatives *relatives, struct guest_list *list);

/* The local path in a node `params`, or NULL if it names something else, such as a server. */
const char *served_params_path(const char *params);

#endif
