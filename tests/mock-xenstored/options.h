/* SPDX-License-Identifier: LGPL-2.1-only */
/* The command line. */
#ifndef MOCK_OPTIONS_H
#define MOCK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "server.h"

struct options {
	struct listener *listeners;
	size_t listener_count;
	size_t listener_capacity;
	const char **loads;
	size_t load_count;
	size_t load_capacity;
	struct fault_list faults;
	const char *faults_file;
	const char *log_file;
	const char *pid_file;
	uint64_t parent; /* 0: none */
	struct quota quota;
	bool daemon;
	bool check;
	bool help;
};

/*
 * Parses the command line into `options`. Returns 0, or -1 after a message on standard error. The
 * strings in it are those of `argv`.
 */
int options_parse(struct options *options, int argc, char *argv[]);

/* Prints the usage on standard output. */
void options_print_help(void);

/* Frees the lists, but not the faults if they have been moved elsewhere. */
void options_free(struct options *options);

#endif
