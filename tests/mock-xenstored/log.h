/* SPDX-License-Identifier: LGPL-2.1-only */
/* The log of requests: one line each, written before the answer is sent. */
#ifndef MOCK_LOG_H
#define MOCK_LOG_H

#include <stdint.h>

struct log {
	int fd; /* -1: there is no log */
	uint64_t requests;
};

struct log_entry {
	uint64_t connection;
	unsigned int domid;
	uint32_t type;
	uint32_t transaction;
	const char *path;  /* the request's first argument, as sent */
	const char *fault; /* what was made to go wrong, or NULL */
	int error;	   /* 0: none */
};

/* Counts the request, and writes its line if there is a log. */
void log_request(struct log *log, const struct log_entry *entry);

/* Writes a remark, a line that begins with #: the control file has a line that is no fault. */
void log_bad_fault(const struct log *log, const char *spec);

#endif
