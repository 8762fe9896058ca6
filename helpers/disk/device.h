/* SPDX-License-Identifier: LGPL-2.1-only */
/* A guest's device in the store, and the tag that marks a loop device as its own. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DEVICE_TYPE_SIZE 12
/* Room for TYPE/DOMID/DEVID. */
#define DEVICE_TEXT_SIZE (DEVICE_TYPE_SIZE + 18)

/* The backend type (vbd, vbd3, virtio_disk, …), the guest's domain id, and the device id. */
struct device {
	char type[DEVICE_TYPE_SIZE];
	unsigned domid;
	unsigned devid;
};

/* Parses "TYPE/DOMID/DEVID". Result: whether the text is one. */
bool device_parse(const char *text, struct device *device);

/* Formats "TYPE/DOMID/DEVID". Result: text. */
const char *device_text(const struct device *device, char text[DEVICE_TEXT_SIZE]);

/* Whether type, domain and id are equal. */
bool device_equal(const struct device *a, const struct device *b);

/* Parses a domain id, below DOMID_FIRST_RESERVED (xen.h). Result: whether the text is one. */
bool parse_domid(const char *text, unsigned *domid);

/* Parses a device id, up to 32 bits. Result: whether the text is one. */
bool parse_devid(const char *text, unsigned *devid);

/* Parses the token of an attach: hexadecimal, up to 32 bits. Result: whether it is one. */
bool parse_token(const char *text, uint32_t *token);

/* The size of a loop device's name in the kernel (linux/loop.h, LO_NAME_SIZE). */
#define TAG_SIZE 64

/* The owner of a loop device, the attach that created it, and its file. */
struct tag {
	struct device device;
	uint32_t token; /* unique to the attach */
	dev_t dev;
	ino_t ino;
};

/*
 * Formats "xen-hotplug:TYPE/DOMID/DEVID:TOKEN:DEV:INO", the last three in hexadecimal. Result:
 * false if it does not fit, because the inode and device numbers of the file are too large.
 */
bool tag_format(char text[TAG_SIZE], const struct tag *tag);

/* Parses a tag. Result: whether the text is one; loop devices with other names are not ours. */
bool tag_parse(const char *text, struct tag *tag);

#endif
