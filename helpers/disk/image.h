/* SPDX-License-Identifier: LGPL-2.1-only */
/* Headers of image files: the other files that an image names. */
#ifndef IMAGE_H
#define IMAGE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* The longest names in a qcow2 header (docs/interop/qcow2.txt of QEMU), with a NUL. */
#define IMAGE_NAME_SIZE 1024
#define IMAGE_FORMAT_SIZE 32

/* As much of an image as its header can occupy: a cluster of the largest size. */
#define IMAGE_HEADER_SIZE (2UL * 1024 * 1024)

/* What an image tells of its backing file. */
struct image_header {
	char backing[IMAGE_NAME_SIZE];		/* its name as it is written there, or "" */
	char backing_format[IMAGE_FORMAT_SIZE]; /* its format, or "" if none is named */
};

/*
 * Parses the first `length` bytes of an image in the format: qcow2 (versions 2 and 3), or vmdk (one
 * sparse file). Result: NULL; or why a guest cannot have it, which continues the sentence "The
 * image X …": another format, truncated, encrypted, corrupt, data in other files.
 */
const char *image_parse(
	const char *format, const unsigned char *bytes, size_t length, struct image_header *header);

/*
 * Reads as much of the open file as its header can occupy, for image_parse(). Result: the bytes,
 * which the caller frees, and *length; or NULL with errno.
 */
unsigned char *image_read(int fd, size_t *length);

/* Whether image_parse() knows the format. */
bool image_format_known(const char *format);

/*
 * Joins the name of a backing file to the directory of the image at `image`, an absolute path, and
 * removes dots and slashes from it as text, without asking the file system. Result: false if it is
 * too long, or names no local file (nbd://, json:).
 */
bool image_backing_path(const char *image, const char *name, char path[PATH_MAX]);

#endif
