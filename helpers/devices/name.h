/* SPDX-License-Identifier: LGPL-2.1-only */
/* The names by which people know guests' devices. */
#ifndef NAME_H
#define NAME_H

#include <stdbool.h>

#include "disk/device.h"

/* Room for the name of a disk: "xvda15", or the device id in decimal. */
#define VDEV_SIZE 24

/* Formats the name that a disk's device id stands for. Result: name. */
const char *vdev_name(unsigned devid, char name[VDEV_SIZE]);

/* What a device may be called by. */
struct named {
	const struct device *device;
	bool emulated;	   /* it is the emulated interface (-emu) of that device */
	const char *guest; /* the name of the guest; NULL if it is not known */
	const char *name;  /* its disk in the guest, or its interface on this host */
};

/*
 * Whether `text` names the device: TYPE/DOMID/DEVID, which may have "backend/" in front, and "-emu"
 * behind it for an emulated interface; NAME, as xvda, vif1.0 or the vifname; GUEST/NAME; or GUEST
 * alone. GUEST is the name of a guest, or its domain id. A guest's name may have slashes.
 */
bool name_matches(const char *text, const struct named *named);

#endif
