/* SPDX-License-Identifier: LGPL-2.1-only */
/* The command line: one table that both the parser and --help are made of. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

typedef bool parse_fn(struct options *options, char *text);

static bool parse_listen(struct options *options, char *text)
{
	struct listener listener = {
		.source = {.kind = SOURCE_LISTENER, .fd = -1},
		.path = text,
	};
	char *colon = strrchr(text, ':');
	uint64_t domid;

	/* A colon that no number follows belongs to the path. */
	if (colon && number_parse(&domid, colon + 1, UINT16_MAX)) {
		listener.domid = (unsigned int)domid;
		*colon = '\0';
	}
	options->listeners = alloc_grow(options->listeners, options->listener_count,
		&options->listener_capacity, sizeof(options->listeners[0]));
	options->listeners[options->listener_count++] = listener;
	return *text != '\0';
}

static bool parse_load(struct options *options, char *text)
{
	options->loads = alloc_grow(options->loads, options->load_count, &options->load_capacity,
		sizeof(options->loads[0]));
	options->loads[options->load_count++] = text;
	return true;
}

static bool parse_fault(struct options *options, char *text)
{
	return fault_add(&options->faults, text);
}

static bool parse_faults(struct options *options, char *text)
{
	options->faults_file = text;
	return true;
}

static bool parse_log(struct options *options, char *text)
{
	options->log_file = text;
	return true;
}

static bool parse_pid_file(struct options *options, char *text)
{
	options->pid_file = text;
	return true;
}

static bool parse_parent(struct options *options, char *text)
{
	return number_parse(&options->parent, text, INT32_MAX) && options->parent > 0;
}

static bool parse_daemon(struct options *options, char *text)
{
	(void)text;
	options->daemon = true;
	return true;
}

static bool parse_check(struct options *options, char *text)
{
	(void)text;
	options->check = true;
	return true;
}

static bool parse_help(struct options *options, char *text)
{
	(void)text;
	options->help = true;
	return true;
}

static bool parse_quota_nodes(struct options *options, char *text)
{
	return number_parse(&options->quota.nodes, text, UINT32_MAX);
}

static bool parse_quota_size(struct options *options, char *text)
{
	return number_parse(&options->quota.value_size, text, UINT32_MAX);
}

static bool parse_quota_watches(struct options *options, char *text)
{
	return number_parse(&options->quota.watches, text, UINT32_MAX);
}

static bool parse_quota_transactions(struct options *options, char *text)
{
	return number_parse(&options->quota.transactions, text, UINT32_MAX);
}

static const struct row {
	const char *name;
	const char *argument; /* NULL: it has none */
	const char *help;
	parse_fn *parse;
} rows[] = {
	{"listen", "PATH[:DOMID]", "serve domain DOMID (default 0) on this socket; repeatable",
		parse_listen},
	{"daemon", NULL, "return once it listens, and serve in the background", parse_daemon},
	{"pid-file", "FILE", "write the process id to this file", parse_pid_file},
	{"parent", "PID", "end when that process is gone", parse_parent},
	{"load", "FILE", "begin with these nodes, one `path value` a line; repeatable", parse_load},
	{"log", "FILE", "append one line for each request", parse_log},
	{"fault", "SPEC", "let a request go wrong; repeatable", parse_fault},
	{"faults", "FILE", "like --fault, one SPEC a line; read again when it changes",
		parse_faults},
	{"quota-nodes", "N", "nodes a domain other than 0 may own (default 1000)",
		parse_quota_nodes},
	{"quota-size", "N", "bytes of a value it writes (default 2048)", parse_quota_size},
	{"quota-watches", "N", "watches it may have (default 128)", parse_quota_watches},
	{"quota-transactions", "N", "transactions it may have at once (default 10)",
		parse_quota_transactions},
	{"check", NULL, "check the command line, and do nothing", parse_check},
	{"help", NULL, "print this", parse_help},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

void options_print_help(void)
{
	puts("usage: mock-xenstored [options] --listen PATH[:DOMID] ...\n"
	     "A xenstored for tests: it speaks the wire protocol and fails on demand.\n");
	for (size_t i = 0; i < ROW_COUNT; i++) {
		char left[48];

		snprintf(left, sizeof(left), "--%s %s", rows[i].name,
			rows[i].argument ? rows[i].argument : "");
		printf("  %-24s %s\n", left, rows[i].help);
	}
	puts("\nSPEC is TYPE[:GLOB]@N[+]=ACTION: the Nth request (with +, each later one too) of\n"
	     "that type (read, transaction_end, ..., or any) whose path as sent (or other first\n"
	     "argument) matches GLOB. ACTION is one of\n"
	     "  EIO, ENOSPC, EAGAIN, ...  answer with that error; do nothing\n"
	     "  delay:MS                  serve it MS milliseconds later\n"
	     "  hang                      never answer; do nothing\n"
	     "  drop, drop-after          close the connection before, or after, doing it\n"
	     "  garbage                   answer with bytes that mean nothing\n"
	     "  badtype, badid            do it; answer with a wrong type or request id\n"
	     "  oversize                  answer with a header that announces 0x7fffffff bytes\n"
	     "  short                     do it; send half of the answer, and close\n"
	     "  empty                     do it; answer without a payload\n"
	     "\nExit status: 0 fine, 1 the system failed, 2 usage.");
}

static int parse_row(struct options *options, size_t index)
{
	const struct row *row = &rows[index];

	if (row->parse(options, optarg))
		return 0;
	fprintf(stderr, "mock-xenstored: --%s: invalid: %s\n", row->name, optarg);
	return -1;
}

int options_parse(struct options *options, int argc, char *argv[])
{
	struct option table[ROW_COUNT + 1] = {0};
	int index;
	int result;

	for (size_t i = 0; i < ROW_COUNT; i++) {
		table[i].name = rows[i].name;
		table[i].has_arg = rows[i].argument ? required_argument : no_argument;
	}
	*options = (struct options){
		.quota = {.nodes = 1000, .value_size = 2048, .watches = 128, .transactions = 10},
	};
	while ((result = getopt_long(argc, argv, "", table, &index)) != -1) {
		if (result != 0 || parse_row(options, (size_t)index) < 0)
			return -1;
	}
	if (optind < argc) {
		fprintf(stderr, "mock-xenstored: unexpected argument: %s\n", argv[optind]);
		return -1;
	}
	if (!options->listener_count && !options->help && !options->check) {
		fputs("mock-xenstored: --listen is missing\n", stderr);
		return -1;
	}
	return 0;
}

void options_free(struct options *options)
{
	struct faults faults = {.fixed = options->faults};

	faults_free(&faults);
	free(options->listeners);
	free(options->loads);
}
