/* SPDX-License-Identifier: LGPL-2.1-only */
/* The devices that a person names. */
#ifndef SELECT_H
#define SELECT_H

#include "devices/inventory.h"

/*
 * Sets selected[i] for each entry that the text names (name_matches()), such as all of a guest.
 * Result: STATUS_DONE, or STATUS_FAILED with a complaint if there is none.
 */
int select_all(const struct inventory *inventory, const char *text, bool selected[]);

/*
 * Finds the one entry that the text names. Result: STATUS_DONE, or STATUS_FAILED with a complaint,
 * which lists the candidates if there are several.
 */
int select_one(const struct inventory *inventory, const char *text, const struct entry **selected);

#endif
