/* SPDX-License-Identifier: LGPL-2.1-only */
/* The types that a script's parameter may have, as far as a shell is not needed for them. */
#ifndef TYPE_H
#define TYPE_H

#include <stdbool.h>

/* Room for what a type expects. */
#define EXPECTED_SIZE 512

/* Whether this program knows the type, NAME or NAME:DETAIL; a script may have others. */
bool type_is_known(const char *type);

/*
 * Whether the value is of the type, which is a known one. If not, `expected` completes the sentence
 * "… is VALUE, which is not …".
 */
bool type_accepts(const char *type, const char *value, char expected[EXPECTED_SIZE]);

#endif
