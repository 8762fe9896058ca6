/* SPDX-License-Identifier: LGPL-2.1-only */
/* Releases what is left of a device whose backend directory is gone. */
#ifndef STALE_H
#define STALE_H

#include <stddef.h>

#include "disk/device.h"
#include "disk/loop.h"
#include "recorded.h"
#include "store.h"

/* Room for the sentence of STALE_FAILED. */
#define STALE_SENTENCE_SIZE RECORDED_SENTENCE_SIZE

/* The least time in which a stale device is released, with the report of a failure. */
#define STALE_LEAST_MS 6000
/* How long an attach waits for it, which has a budget of its own. */
#define STALE_ATTACH_MS 12000
/* As long as a detach and its report may take (cmd-call.c). */
#define STALE_MOST_MS 38000

/* How it ended: the statuses of `xen-hotplug call --stale`, too. */
enum stale {
	STALE_RELEASED = 0, /* nothing is left */
	STALE_FAILED = 1,   /* something is left; a sentence says why */
	STALE_ALIVE = 3,    /* the device has a backend directory (again) */
	STALE_SERVED = 4,   /* the kernel still serves it */
	STALE_LOCKED = 5,   /* another script works on it */
};

/*
 * Judges by the store and the kernel, without the device's lock: STALE_RELEASED if it is stale and
 * may be released. `base` is as for backend_find(). With STALE_FAILED, *sentence.
 */
enum stale stale_judge(struct store *store, const char *base, const struct device *device,
	char sentence[STALE_SENTENCE_SIZE]);

/*
 * Starts the script that attached the device, for each of its journals. It looks again whether the
 * device is stale, under the device's lock and without waiting for that. XENBUS_PATH of this
 * process changes. It ends by itself within `ms` milliseconds.
 * Result: the first end that is not STALE_RELEASED, which is also that of a device without a
 * journal; with STALE_FAILED, *sentence, as where less than STALE_LEAST_MS is left.
 */
enum stale stale_release(
	const struct device *device, unsigned ms, char sentence[STALE_SENTENCE_SIZE]);

/*
 * Detaches a tagged loop device of a stale device that has no journal (any more), again after a
 * look under the device's lock. `base` and `store` are as for backend_find(). Result: as above; one
 * that is still open, which the kernel detaches at the last close, is STALE_FAILED.
 */
enum stale stale_release_loop(const struct loop *loop, const char *base, struct store *store,
	char sentence[STALE_SENTENCE_SIZE]);

#endif
