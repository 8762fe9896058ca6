/* SPDX-License-Identifier: LGPL-2.1-only */
/* A guest's device as the store names it, and the tag by which a loop device belongs to one. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DEVICE_TYPE_SIZE 12
/* Room for TYPE/DOMID/DEVID. */
#define DEVICE_TEXT_SIZE (DEVICE_TYPE_SIZE + 18)

/* Backend type (vbd, vbd3, virtio_disk, …), the guest's domain id, and the device id. */
struct device {
	char type[DEVICE_TYPE_SIZE];
	unsigned domid;
	unsigned devid;
};

/* Parses "TYPE/DOMID/DEVID". Result: whether it is one. */
bool device_parse(const char *text, struct device *device);

/* Formats "TYPE/DOMID/DEVID". Result: text. */
const char *device_text(const struct device *device, char text[DEVICE_TEXT_SIZE]);

/* Whether they are one device: of one type, domain and id. */
bool device_equal(const struct device *a, const struct device *b);

/* Parses a domain id, which is below DOMID_FIRST_RESERVED (xen/include/public/xen.h). */
bool parse_domid(const char *text, unsigned *domid);

/* Parses a device id. */
bool parse_devid(const char *text, unsigned *devid);

/* Parses the token of an attach: hexadecimal, up to 32 bits. */
bool parse_token(const char *text, uint32_t *token);

/* What the kernel keeps of a loop device's name (linux/loop.h, LO_NAME_SIZE). */
#define TAG_SIZE 64

/* Whose a loop device is, by which attach, and which file it was attached to. */
struct tag {
	struct device device;
	uint32_t token; /* of the attach: a number that no other attach has */
	dev_t dev;
	ino_t ino;
};

/*
 * Formats "xen-hotplug:TYPE/DOMID/DEVID:TOKEN:DEV:INO", the last three in hexadecimal. Result:
 * whether it fits, which it does unless the numbers of the file and its file system are both huge.
 */
bool tag_format(char text[TAG_SIZE], const struct tag *tag);

/* Parses that. Result: whether it is one; all other names belong to somebody else. */
bool tag_parse(const char *text, struct tag *tag);

#endif
