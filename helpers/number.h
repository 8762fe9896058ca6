/* SPDX-License-Identifier: LGPL-2.1-only */
/* Numbers and device numbers written as text, and sectors. */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The sector of device-mapper's tables, sysfs and st_blocks, whatever the device's own sectors. */
#define SECTOR 512

/*
 * Parses a decimal number without sign or blanks, from 0 to `most`. `end`, unless it is NULL, is
 * set to the first byte after the number; if it is NULL, the text must end there. Result: whether
 * the text is such a number; if not, nothing is set.
 */
bool parse_number(
	const char *text, unsigned long long most, unsigned long long *number, const char **end);

/* The same for a hexadecimal number in either case, without "0x". */
bool parse_hex(
	const char *text, unsigned long long most, unsigned long long *number, const char **end);

/* The same for a text that is a decimal number up to `most` and nothing else. */
bool parse_unsigned(const char *text, unsigned most, unsigned *number);

/*
 * Parses a device number "MAJOR:MINOR" in decimal, at most 4095:1048575, up to a NUL, newline or
 * blank. Result: whether it is one; if not, nothing is set.
 */
bool parse_device(const char *text, dev_t *device);

/*
 * Parses a device number "MAJOR:MINOR" in hexadecimal as blkback reads the node physical-device
 * (sscanf "%x:%x" in Linux, drivers/block/xen-blkback/xenbus.c). Text after the number is
 * ignored, because a disk that blkback opens must not be overlooked here. Result: whether it is
 * one; if not, nothing is set.
 */
bool parse_physical_device(const char *text, dev_t *device);

/* Converts sectors to bytes. Result: false if the result does not fit; then nothing is set. */
bool sectors_to_bytes(uint64_t sectors, uint64_t *bytes);

/* a + b, or UINT64_MAX if the sum is larger. */
uint64_t add_saturated(uint64_t a, uint64_t b);

#endif
