/* SPDX-License-Identifier: LGPL-2.1-only */
/* The journals that the scripts write: hotplug/common/journal.sh. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "disk/device.h"

#define JOURNAL_DIRECTORY "/run/xen-hotplug"
/* What the journal of an emulated interface has behind the device's name. */
#define JOURNAL_EMULATED "-emu"

/* Room for an id of /proc/sys/kernel/random/boot_id. */
#define BOOT_ID_SIZE 40

/* Which attach wrote a journal; the fields are empty where it does not say. */
struct journal_head {
	char boot[BOOT_ID_SIZE]; /* the host's boot */
	char script[PATH_MAX];	 /* absolute */
};

/* Parses the name of a journal, TYPE-DOMID-DEVID[-emu]. Result: whether it is one. */
bool journal_name_parse(const char *name, struct device *device);

/* Parses the first records of a journal. */
void journal_head_parse(const char *bytes, size_t length, struct journal_head *head);

/*
 * Reads the head of a device's journal; `suffix` is "" or JOURNAL_EMULATED. Result: false with
 * errno: ENOENT if there is none, EPERM if it is no file that this user has written.
 */
bool journal_head_read(const struct device *device, const char *suffix, struct journal_head *head);

/* Whether it was written since this host has booted, or does not say. */
bool journal_is_current(const struct journal_head *head);

#endif
