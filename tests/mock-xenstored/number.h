/* SPDX-License-Identifier: LGPL-2.1-only */
/* Decimal numbers in text. */
#ifndef MOCK_NUMBER_H
#define MOCK_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Parses `text`, which must consist of decimal digits only, into `*out`. Returns false, and leaves
 * `*out` alone, when it does not or when the number exceeds `max`.
 */
bool number_parse(uint64_t *out, const char *text, uint64_t max);

#endif
