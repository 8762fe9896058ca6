/* SPDX-License-Identifier: LGPL-2.1-only */
/* The version of this program, from the file VERSION in the root of the tree. */
#ifndef VERSION_H
#define VERSION_H

/* Such as "0.9.0". */
extern const char version[];

#endif
