/* SPDX-License-Identifier: LGPL-2.1-only */
/* The script that a journal names, started again for its device. */
#ifndef RECORDED_H
#define RECORDED_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "disk/device.h"
#include "journal.h"
#include "message.h"
#include "supervise.h"

/* Room for the sentence of a failure. */
#define RECORDED_SENTENCE_SIZE (SENTENCE_LIMIT + sizeof("…"))

/*
 * Finds the script of a journal whose head is given, and checks that root may run it. Without one,
 * as where it was uninstalled, it is a script of the framework's that knows all its resources.
 * Result: whether *script may be started; if not, *sentence says why.
 */
bool recorded_find(const struct journal_head *head, char script[PATH_MAX],
	char sentence[RECORDED_SENTENCE_SIZE]);

/* Sets XENBUS_PATH of this process to the device's, for the scripts that it starts. */
void recorded_export(const struct device *device);

/* Sets *sentence to the last line that the script wrote to standard error. */
void recorded_sentence(const struct supervised *result, char sentence[RECORDED_SENTENCE_SIZE]);

#endif
