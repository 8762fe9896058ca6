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
	const char *usage;   /* its arguments, as the help shows them */
	const char *summary; /* what it does, in a few words */
	const char *help;    /* the rest of its help, lines ended by newlines */
	/* Gets argv[0] = name. Result: the exit status. */
	int (*run)(const struct command *command, int argc, char *argv[]);
};

extern const struct command command_load, command_publish, command_fail, command_forget,
	command_wait, command_run, command_claim, command_release, command_identify,
	command_session;

/*
 * Runs the subcommand argv[1] with the arguments behind it; argv[0] is the program's name. Result:
 * the exit status.
 */
int command_dispatch(int argc, char *argv[]);

/* What every options table ends with. */
#define OPTION_HELP                                                                                \
	{"help", no_argument, NULL, 'h'},                                                          \
	{                                                                                          \
		NULL, 0, NULL, 0                                                                   \
	}

/*
 * The next option, as getopt_long() gives it (value in optarg), or -1 after the last one; options
 * end at the first argument that is none, or at `--`. On --help it prints the help and ends the
 * program with STATUS_DONE; on a wrong option it complains and ends it with STATUS_USAGE.
 */
int next_option(
	const struct command *command, int argc, char *argv[], const struct option options[]);

/* Complains about the number or form of the arguments. Result: STATUS_USAGE. */
__attribute__((format(printf, 2, 3))) int usage_error(
	const struct command *command, const char *format, ...);

/* Prints the help of a subcommand on stdout. */
void command_help(const struct command *command);

/*
 * The option value `text`, seconds with up to three decimals, as milliseconds: more than 0 and at
 * most a day. Ends the program with a complaint and STATUS_USAGE where it is something else.
 */
unsigned option_seconds(const struct command *command, const char *option, const char *text);

/* The value of the option --device, TYPE/DOMID/DEVID. Ends the program as above on other text. */
void option_device(const struct command *command, const char *text, struct device *device);

/*
 * The value of the option --token, one to eight hexadecimal digits. Ends the program as above on
 * other text.
 */
uint32_t option_token(const struct command *command, const char *text);

#endif
