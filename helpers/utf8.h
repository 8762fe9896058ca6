/* SPDX-License-Identifier: LGPL-2.1-only */
/* Characters of more than one byte. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the UTF-8 character at `p`, of which `left` bytes can be read, into *c. Result: its
 * length, 1 to 4; or 0 if it is none, as an overlong one, a surrogate, or one that is cut short.
 */
size_t utf8_decode(const unsigned char *p, size_t left, uint32_t *c);

#endif
