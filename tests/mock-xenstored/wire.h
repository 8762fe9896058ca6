/* SPDX-License-Identifier: LGPL-2.1-only */
/* Names of what the wire protocol numbers: requests and errors. */
#ifndef MOCK_WIRE_H
#define MOCK_WIRE_H

/* The protocol's header relies on its user for these two. */
#include <errno.h>
#include <stdint.h>

#include <stddef.h>
#include <xen/io/xs_wire.h>

/* The upper-case name of a request, or NULL when there is no such request. */
const char *wire_type_name(uint32_t type);

/* The request that the `length` bytes at `name` name in lower case, or -1. */
int wire_type_number(const char *name, size_t length);

/* The protocol's name of an error ("EINVAL" for one that it has none for). */
const char *wire_error_name(int error);

/* The error that `name` names, or 0 when the protocol has none of that name. */
int wire_error_number(const char *name);

#endif
