/* SPDX-License-Identifier: LGPL-2.1-only */
/* Subcommands and their arguments. */
#ifndef COMMAND_H
#define COMMAND_H

#include <getopt.h>
#include <stdint.h>

#include "disk/device.h"

/* One subcommand: `xen-hotplug NAME USAGE`. */
struct command {
	const char *name;
	const char *usage;   /* its arguments for the help */
	const char *summary; /* its purpose, in a few words */
	const char *help;    /* the rest of its help, in lines */
	/* Gets argv[0] = name. Result: the exit status. */
	int (*run)(const struct command *command, int argc, char *argv[]);
};

extern const struct command command_call, command_load, command_lock, command_unlock,
	command_publish, command_fail, command_journal, command_forget, command_run, command_claim,
	command_release, command_identify, command_image, command_serves, command_gc, command_stale,
	command_accept, command_type, command_describe, command_repair, command_watch, command_list,
	command_show, command_check, command_await, command_why;

/*
 * Runs the subcommand argv[1] with the arguments after it; argv[0] is the program's name. Result:
 * the exit status.
 */
int command_dispatch(int argc, char *argv[]);

/* The end of every table of options. */
#define OPTION_HELP                                                                                \
	{"help", no_argument, NULL, 'h'},                                                          \
	{                                                                                          \
		NULL, 0, NULL, 0                                                                   \
	}

/*
 * The next option as getopt_long() returns it (its value in optarg), or -1 after the last one.
 * Options end at the first argument that is not an option, or at `--`. --help prints the help and
 * ends the program with STATUS_DONE; a wrong option ends it with a complaint and STATUS_USAGE.
 */
int next_option(
	const struct command *command, int argc, char *argv[], const struct option options[]);

/* Complains about the arguments (printf-like, no full stop). Result: STATUS_USAGE. */
__attribute__((format(printf, 2, 3))) int usage_error(
	const struct command *command, const char *format, ...);

/* Prints the help of a subcommand to stdout. */
void command_help(const struct command *command);

/*
 * Converts an option's value, seconds with up to three decimals, to milliseconds: from 1 ms to a
 * day. Ends the program with a complaint and STATUS_USAGE if it is something else.
 */
unsigned option_seconds(const struct command *command, const char *option, const char *text);

/* Parses a device, TYPE/DOMID/DEVID. Ends the program as above on other text. */
void option_device(const struct command *command, const char *text, struct device *device);

/*
 * Parses the value of --token, one to eight hexadecimal digits. Ends the program as above on other
 * text.
 */
uint32_t option_token(const struct command *command, const char *text);

#endif
