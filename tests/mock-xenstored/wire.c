/* SPDX-License-Identifier: LGPL-2.1-only */
/* Names of what the wire protocol numbers: requests and errors. */
#include "wire.h"

#include <string.h>
#include <strings.h>

#define ERROR_COUNT (sizeof(xsd_errors) / sizeof(xsd_errors[0]))

static const char *const type_names[XS_TYPE_COUNT] = {
	[XS_CONTROL] = "CONTROL",
	[XS_DIRECTORY] = "DIRECTORY",
	[XS_READ] = "READ",
	[XS_GET_PERMS] = "GET_PERMS",
	[XS_WATCH] = "WATCH",
	[XS_UNWATCH] = "UNWATCH",
	[XS_TRANSACTION_START] = "TRANSACTION_START",
	[XS_TRANSACTION_END] = "TRANSACTION_END",
	[XS_INTRODUCE] = "INTRODUCE",
	[XS_RELEASE] = "RELEASE",
	[XS_GET_DOMAIN_PATH] = "GET_DOMAIN_PATH",
	[XS_WRITE] = "WRITE",
	[XS_MKDIR] = "MKDIR",
	[XS_RM] = "RM",
	[XS_SET_PERMS] = "SET_PERMS",
	[XS_IS_DOMAIN_INTRODUCED] = "IS_DOMAIN_INTRODUCED",
	[XS_RESUME] = "RESUME",
	[XS_SET_TARGET] = "SET_TARGET",
	[XS_RESET_WATCHES] = "RESET_WATCHES",
	[XS_DIRECTORY_PART] = "DIRECTORY_PART",
};

const char *wire_type_name(uint32_t type)
{
	return type < XS_TYPE_COUNT ? type_names[type] : NULL;
}

int wire_type_number(const char *name, size_t length)
{
	for (int type = 0; type < XS_TYPE_COUNT; type++) {
		const char *known = type_names[type];

		if (known && strlen(known) == length && strncasecmp(known, name, length) == 0)
			return type;
	}
	return -1;
}

const char *wire_error_name(int error)
{
	for (size_t i = 0; i < ERROR_COUNT; i++) {
		if (xsd_errors[i].errnum == error)
			return xsd_errors[i].errstring;
	}
	return "EINVAL";
}

int wire_error_number(const char *name)
{
	for (size_t i = 0; i < ERROR_COUNT; i++) {
		if (strcmp(xsd_errors[i].errstring, name) == 0)
			return xsd_errors[i].errnum;
	}
	return 0;
}
