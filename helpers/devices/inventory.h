/* SPDX-License-Identifier: LGPL-2.1-only */
/* The devices that hotplug scripts serve, or have left, on this host. */
#ifndef INVENTORY_H
#define INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "devices/name.h"
#include "disk/device.h"
#include "disk/looplist.h"
#include "journal.h"

/* The nodes that are read of a backend's directory. */
enum node {
	NODE_SELF, /* the directory itself */
	NODE_STATE,
	NODE_HOTPLUG_STATUS,
	NODE_HOTPLUG_ERROR,
	NODE_PHYSICAL_DEVICE,
	NODE_SCRIPT,
	NODE_DEV,
	NODE_VIFNAME,
	NODE_PARAMS,
	NODE_MODE,
	NODE_MAC,
	NODE_BRIDGE,
	NODE_IP,
	NODE_VLAN,
	NODE_MTU,
	NODES,
};

/* The name of each in the store; "" for the directory itself. */
extern const char *const node_names[NODES];

/* A disk, an interface, or the emulated interface of an HVM guest. */
struct entry {
	struct device device;
	bool emulated;
	char name[64];	    /* in the guest, or on this host, escaped; see struct named */
	char *guest;	    /* its name, or NULL */
	char *nodes[NODES]; /* values, each NULL if absent */
	bool locked;	    /* a script works on it */
	int node_error;	    /* errno, if the store does not tell whether it has the directory */
	bool journalled;    /* there is a journal, which may be unreadable: see journal_error */
	int journal_error;  /* errno, or 0 */
	struct journal journal;
	struct journal_head head;
	const char *dev, *number; /* what the journal says was published; NULL: nothing yet */
	const struct loop *loop; /* the tagged loop device of a device without a journal, or NULL */
};

struct inventory {
	struct entry *entries; /* by domain, type and device */
	size_t count, room;
	struct loop_list loops;
	int locks; /* the file of locks, or -1 */
};

/*
 * Reads the devices from the store, the journals in JOURNAL_DIRECTORY and the tags of loop devices.
 * Asks no file server, and the store in few round trips. Result: STATUS_DONE, or STATUS_FAILED with
 * a complaint. The caller frees it in either case.
 */
int inventory_read(struct inventory *inventory);

/* Frees what it holds. */
void inventory_free(struct inventory *inventory);

/* The names of a device. */
struct named entry_named(const struct entry *entry);

/* Room for entry_text(). */
#define ENTRY_TEXT_SIZE (DEVICE_TEXT_SIZE + sizeof(JOURNAL_EMULATED))

/* TYPE/DOMID/DEVID, with JOURNAL_EMULATED behind it for an emulated interface. Result: text. */
const char *entry_text(const struct entry *entry, char text[ENTRY_TEXT_SIZE]);

#endif
