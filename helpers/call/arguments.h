/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a call is for: the device that XENBUS_PATH names, and the verb among the arguments. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdbool.h>

#include "disk/device.h"

struct arguments {
	const char *verb; /* the first argument that is no setting, or "" */
	const char
		*type_if; /* of the setting type_if=, or ""; of a vif, "vif" where it is absent */
	/*
	 * What the verb asks for: attach, detach, none (the other half of a pair of calls does it),
	 * check, repair, plan or help; "" where the verb is none of the device's.
	 */
	const char *action;
	struct device device; /* without a type where the path names none */
};

/*
 * Parses the arguments, ended by NULL, to which *arguments will refer, and XENBUS_PATH (or NULL):
 * [HOME/]backend/TYPE/DOMID/DEVID, as libxl gives it.
 */
void arguments_parse(char *const words[], const char *path, struct arguments *arguments);

/* Whether a person asks, and nothing is to be changed. */
bool arguments_only_ask(const struct arguments *arguments);

/* Whether a person calls, or xen-hotplug itself, so that a failure is not told to libxl. */
bool arguments_by_person(const struct arguments *arguments);

/*
 * The device of a tap by the tap's name, vifDOMID.DEVID-emu, which is all that older callers give.
 * Result: whether it is such a name.
 */
bool arguments_parse_tap(const char *name, struct device *device);

#endif
