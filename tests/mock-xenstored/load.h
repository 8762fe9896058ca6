/* SPDX-License-Identifier: LGPL-2.1-only */
/* Nodes to begin with. */
#ifndef MOCK_LOAD_H
#define MOCK_LOAD_H

#include "store.h"

enum load_result {
	LOAD_DONE,
	LOAD_UNREADABLE,
	LOAD_INVALID,
};

/* Creates the nodes that `file` lists, one `path value` a line. Failures are told on stderr. */
enum load_result load_nodes(struct store *store, const char *file);

#endif
