/* SPDX-License-Identifier: LGPL-2.1-only */
/* Headers of image files: the other files that an image names. */
#include "image.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRUNCATED "is truncated; restore it from a backup, or give the guest another one"

/* Offsets in the header of qcow2. */
enum {
	QCOW2_VERSION = 4,
	QCOW2_BACKING = 8,
	QCOW2_BACKING_LENGTH = 16,
	QCOW2_CLUSTER_BITS = 20,
	QCOW2_ENCRYPTION = 32,
	QCOW2_V2_LENGTH = 72,
	QCOW2_INCOMPATIBLE = 72,
	QCOW2_HEADER_LENGTH = 100,
	QCOW2_V3_LENGTH = 104,
};

#define QCOW2_MAGIC "QFI\xfb"
#define QCOW2_USUAL_BITS 16
#define QCOW2_USUAL_CLUSTER (1UL << QCOW2_USUAL_BITS)

#define QCOW2_CORRUPT 2U
#define QCOW2_DATA_FILE 4U
#define QCOW2_EXTENSION_FORMAT 0xe2792acaU
#define QCOW2_EXTENSION_DATA_FILE 0x44415441U
#define QCOW2_EXTENSION_ENCRYPTION 0x0537be77U

/* Offsets in the header of a sparse extent of vmdk, in little-endian order. */
enum { VMDK_CAPACITY = 12, VMDK_DESCRIPTOR = 28, VMDK_LENGTH = 77 };
#define VMDK_SECTOR 512
/* QEMU reads as much of a descriptor. */
#define VMDK_DESCRIPTOR_SIZE (20UL * VMDK_SECTOR)

struct bytes {
	const unsigned char *at;
	size_t length;
};

static uint32_t big32(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t big64(const unsigned char *at)
{
	return (uint64_t)big32(at) << 32 | big32(at + 4);
}

static uint64_t little64(const unsigned char *at)
{
	uint64_t number = 0;

	for (int i = 7; i >= 0; i--)
		number = number << 8 | at[i];
	return number;
}

/* Copies a name. Result: false if it does not fit, or contains a NUL. */
static bool copy_name(char *to, size_t size, const unsigned char *from, size_t length)
{
	if (length >= size || memchr(from, 0, length))
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

/* Takes an extension of the header. Result: as image_parse(). */
static const char *take_extension(
	uint32_t type, const struct bytes *data, struct image_header *header)
{
	switch (type) {
	case QCOW2_EXTENSION_FORMAT:
		return copy_name(header->backing_format, IMAGE_FORMAT_SIZE, data->at, data->length)
			       ? NULL
			       : "has a malformed header; check it with 'qemu-img check'";
	case QCOW2_EXTENSION_DATA_FILE:
		return "keeps its data in another file; convert it to a single file with "
		       "'qemu-img convert'";
	case QCOW2_EXTENSION_ENCRYPTION:
		return "is encrypted, which this script does not support; convert it with "
		       "'qemu-img convert'";
	default:
		return NULL;
	}
}

/* Reads the extensions of the header, from `at` to `end`. Result: as image_parse(). */
static const char *read_extensions(
	const struct bytes *image, size_t at, size_t end, struct image_header *header)
{
	const char *problem = NULL;

	while (!problem && end - at >= 8) {
		uint32_t type = big32(image->at + at);
		size_t length = big32(image->at + at + 4);
		const struct bytes data = {image->at + at + 8, length};

		if (!type)
			return NULL;
		if (length > end - at - 8)
			return TRUNCATED;
		problem = take_extension(type, &data, header);
		length = (length + 7) & ~(size_t)7;
		at = length > end - at - 8 ? end : at + 8 + length;
	}
	return problem;
}

/* Sets *start and *end to where the extensions are. Result: as image_parse(). */
static const char *find_extensions(const struct bytes *image, size_t *start, size_t *end)
{
	uint32_t bits = big32(image->at + QCOW2_CLUSTER_BITS);
	uint64_t backing = big64(image->at + QCOW2_BACKING);
	bool new = big32(image->at + QCOW2_VERSION) > 2;

	if (bits < 9 || bits > 21)
		return "has a malformed header; check it with 'qemu-img check'";
	*start = new ? big32(image->at + QCOW2_HEADER_LENGTH) : QCOW2_V2_LENGTH;
	*end = 1UL << bits;
	/* Other clusters follow the one with the header. */
	if (*end > image->length)
		return TRUNCATED;
	if (backing && backing < *end)
		*end = (size_t)backing;
	return *start > *end ? TRUNCATED : NULL;
}

static const char *read_backing(const struct bytes *image, struct image_header *header)
{
	uint64_t start = big64(image->at + QCOW2_BACKING);
	size_t length = big32(image->at + QCOW2_BACKING_LENGTH);

	if (!start)
		return NULL;
	if (start > image->length || length > image->length - start)
		return TRUNCATED;
	if (length && copy_name(header->backing, IMAGE_NAME_SIZE, image->at + start, length))
		return NULL;
	return "has a malformed name of a backing file; correct it with 'qemu-img rebase -u'";
}

/* What the header of version 3 has in addition. Result: as image_parse(). */
static const char *check_features(const struct bytes *image)
{
	if (image->length < QCOW2_V3_LENGTH)
		return TRUNCATED;
	uint64_t features = big64(image->at + QCOW2_INCOMPATIBLE);
	if (features & QCOW2_DATA_FILE)
		return take_extension(QCOW2_EXTENSION_DATA_FILE, NULL, NULL);
	if (features & QCOW2_CORRUPT)
		return "is marked as corrupt; repair it with 'qemu-img check -r all'";
	return NULL;
}

static const char *parse_qcow2(const struct bytes *image, struct image_header *header)
{
	const char *problem = NULL;
	size_t start, end;

	if (image->length < 4 || memcmp(image->at, QCOW2_MAGIC, 4) != 0)
		return "is not in qcow2 format; correct file= or format=";
	if (image->length < QCOW2_V2_LENGTH)
		return TRUNCATED;
	uint32_t version = big32(image->at + QCOW2_VERSION);
	if (version != 2 && version != 3)
		return "has a version of qcow2 that this script does not know; convert it with "
		       "'qemu-img convert'";
	if (big32(image->at + QCOW2_ENCRYPTION))
		return take_extension(QCOW2_EXTENSION_ENCRYPTION, NULL, NULL);
	if (version == 3)
		problem = check_features(image);
	if (!problem)
		problem = find_extensions(image, &start, &end);
	if (!problem)
		problem = read_extensions(image, start, end, header);
	return problem ? problem : read_backing(image, header);
}

/* Whether the descriptor at `start`, which is within the image, names a parent. */
static bool has_parent(const struct bytes *image, size_t start)
{
	static const char key[] = "parentFileNameHint";
	size_t length = image->length - start;
	if (length > VMDK_DESCRIPTOR_SIZE)
		length = VMDK_DESCRIPTOR_SIZE;
	return memmem(image->at + start, length, key, sizeof(key) - 1);
}

/* Without a capacity, the header leads to a descriptor, which names any files. */
static const char *parse_vmdk(const struct bytes *image)
{
	bool sparse = image->length >= 4 && !memcmp(image->at, "KDMV", 4);

	if (image->length >= 21 && !memcmp(image->at, "# Disk DescriptorFile", 21))
		return take_extension(QCOW2_EXTENSION_DATA_FILE, NULL, NULL);
	if (!sparse)
		return "is not in vmdk format, as one sparse file; correct file= or format=";
	if (image->length < VMDK_LENGTH)
		return TRUNCATED;
	if (!little64(image->at + VMDK_CAPACITY))
		return take_extension(QCOW2_EXTENSION_DATA_FILE, NULL, NULL);
	uint64_t sector = little64(image->at + VMDK_DESCRIPTOR);
	if (sector >= IMAGE_HEADER_SIZE / VMDK_SECTOR)
		return "has its descriptor in an unusual place; convert it with 'qemu-img "
		       "convert'";
	if (image->length <= VMDK_SECTOR || image->length <= sector * VMDK_SECTOR)
		return TRUNCATED;
	/* QEMU looks at the second sector, whatever the header says. */
	if (has_parent(image, VMDK_SECTOR) || has_parent(image, sector * VMDK_SECTOR))
		return "has a parent; flatten it with 'qemu-img convert'";
	return NULL;
}

/* Reads up to `most` bytes. Result: as image_read(). */
static unsigned char *read_start(int fd, size_t most, size_t *length)
{
	unsigned char *bytes = malloc(most);
	ssize_t n = 1;

	*length = 0;
	while (bytes && n > 0 && *length < most) {
		n = pread(fd, bytes + *length, most - *length, (off_t)*length);
		*length += n > 0 ? (size_t)n : 0;
	}
	if (!bytes || n >= 0)
		return bytes;
	int error = errno;
	free(bytes);
	errno = error;
	return NULL;
}

/* Whether the header is in the first bytes of the image. Most clusters are small. */
static bool is_usual(const unsigned char *bytes, size_t length)
{
	if (length < QCOW2_USUAL_CLUSTER)
		return true;
	return !memcmp(bytes, QCOW2_MAGIC, 4) &&
	       big32(bytes + QCOW2_CLUSTER_BITS) <= QCOW2_USUAL_BITS;
}

unsigned char *image_read(int fd, size_t *length)
{
	unsigned char *bytes = read_start(fd, QCOW2_USUAL_CLUSTER, length);

	if (!bytes || is_usual(bytes, *length))
		return bytes;
	free(bytes);
	return read_start(fd, IMAGE_HEADER_SIZE, length);
}

bool image_format_known(const char *format)
{
	return !strcmp(format, "qcow2") || !strcmp(format, "vmdk");
}

const char *image_parse(
	const char *format, const unsigned char *bytes, size_t length, struct image_header *header)
{
	const struct bytes image = {bytes, length};

	*header = (struct image_header){.backing = ""};
	return strcmp(format, "qcow2") != 0 ? parse_vmdk(&image) : parse_qcow2(&image, header);
}

/* Whether QEMU takes the name for a protocol: a colon before the first slash. */
static bool has_protocol(const char *name)
{
	return name[strcspn(name, ":/")] == ':';
}

/* Removes empty parts and dots from the absolute path, in place. */
static void normalize(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		const char *part = from + strspn(from, "/");
		size_t length = strcspn(part, "/");

		from = part + length;
		if (!length || (length == 1 && part[0] == '.'))
			continue;
		if (length == 2 && !memcmp(part, "..", 2)) {
			while (to > path && *--to != '/')
				;
			continue;
		}
		*to++ = '/';
		memmove(to, part, length);
		to += length;
	}
	*to = '\0';
}

bool image_backing_path(const char *image, const char *name, char path[PATH_MAX])
{
	const char *slash = strrchr(image, '/');
	int directory = name[0] == '/' || !slash ? 0 : (int)(slash + 1 - image);
	int length = snprintf(path, PATH_MAX, "%.*s%s", directory, image, name);

	if (has_protocol(name) || length < 0 || length >= PATH_MAX || path[0] != '/')
		return false;
	normalize(path);
	return path[0];
}
