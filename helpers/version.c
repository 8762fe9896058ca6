/* SPDX-License-Identifier: LGPL-2.1-only */
/* The version of this program. */
#include "version.h"

/* make defines it. */
const char version[] = VERSION;
