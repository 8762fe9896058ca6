/* SPDX-License-Identifier: LGPL-2.1-only */
/* Fuzzes what is parsed of the kernel's messages about rules and interfaces. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "news.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of exactly that size, so that the sanitizer sees what is read behind it. */
	char *message = malloc(size ? size : 1);
	struct device device = {.type = ""};
	struct news_link link;

	if (!message)
		return 0;
	memcpy(message, data, size);
	if (news_of_rules(message, size, &device) == NEWS_DEVICE)
		assert(!strcmp(device.type, "vif"));
	if (news_of_link(message, size, &link))
		assert(link.index && strnlen(link.name, sizeof(link.name)) < sizeof(link.name));
	free(message);
	return 0;
}
