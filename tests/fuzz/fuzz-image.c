/* SPDX-License-Identifier: LGPL-2.1-only */
/* Fuzzes the parser of the headers of images, and the paths that they name. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "disk/image.h"

static void fuzz_path(const char *name)
{
	char path[PATH_MAX];

	if (!image_backing_path("/srv/guests/web.qcow2", name, path))
		return;
	assert(path[0] == '/' && strlen(path) < sizeof(path));
	assert(!strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_header header;

	image_parse("vmdk", data, size, &header);
	if (image_parse("qcow2", data, size, &header))
		return 0;
	assert(memchr(header.backing, 0, sizeof(header.backing)));
	assert(memchr(header.backing_format, 0, sizeof(header.backing_format)));
	fuzz_path(header.backing);
	return 0;
}
