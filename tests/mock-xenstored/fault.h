/* SPDX-License-Identifier: LGPL-2.1-only */
/* Faults that tests order: which request is to go wrong, and how. */
#ifndef MOCK_FAULT_H
#define MOCK_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR, /* its argument is the error */
	FAULT_DELAY, /* its argument is in milliseconds */
	FAULT_HANG,
	FAULT_DROP,
	FAULT_DROP_AFTER,
	FAULT_GARBAGE,
	FAULT_BADTYPE,
	FAULT_BADID,
	FAULT_OVERSIZE,
	FAULT_SHORT,
	FAULT_EMPTY,
};

struct fault_action {
	enum fault_kind kind;
	uint32_t argument;
	const char *name; /* as ordered; NULL for FAULT_NONE */
};

struct fault {
	int type;   /* a request, or -1: any */
	char *glob; /* NULL: any path */
	uint64_t nth;
	bool and_later;
	uint64_t seen; /* how many requests have matched so far */
	struct fault_action action;
	char *action_name;
};

struct fault_list {
	struct fault *list;
	size_t count;
	size_t capacity;
};

/* Identifies one state of the control file. */
struct fault_stamp {
	uint64_t inode;
	int64_t size;
	struct timespec changed;
};

/* Starts as all zeroes, but for `file`. */
struct faults {
	struct fault_list fixed;   /* of the command line */
	struct fault_list ordered; /* of the control file */
	const char *file;	   /* NULL: there is no control file */
	struct fault_stamp stamp;
};

/* Adds the fault that `spec` describes. Returns false when it describes none. */
bool fault_add(struct fault_list *faults, const char *spec);

/* Told of each line of the control file that is no fault. */
typedef void fault_complain(void *context, const char *spec);

/* Reads the control file again if it is another than last time. No file: no faults. */
void faults_refresh(struct faults *faults, fault_complain *complain, void *context);

/*
 * Counts the request of that type with that first argument. Returns what is to go wrong with it;
 * of several faults, the one that was ordered first.
 */
struct fault_action faults_match(struct faults *faults, uint32_t type, const char *path);

/* Is the request carried out all the same? */
bool fault_carries_out(enum fault_kind kind);

/* Frees all faults. */
void faults_free(struct faults *faults);

#endif
