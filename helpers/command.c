/* SPDX-License-Identifier: LGPL-2.1-only */
/* Subcommands and their arguments. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "number.h"
#include "output.h"
#include "status.h"

#define MOST_SECONDS 86400

void command_help(const struct command *command)
{
	printf("Usage: xen-hotplug %s %s\n\n%s\n%s", command->name, command->usage,
		command->summary, command->help);
}

int usage_error(const struct command *command, const char *format, ...)
{
	char text[SENTENCE_LIMIT];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return complain(STATUS_USAGE, "%s; see 'xen-hotplug %s --help'.",
		length < 0 ? "The arguments are wrong" : text, command->name);
}

int next_option(
	const struct command *command, int argc, char *argv[], const struct option options[])
{
	int index = optind;

	opterr = 0;
	int option = getopt_long(argc, argv, "+:", options, NULL);
	switch (option) {
	case 'h':
		command_help(command);
		exit(output_end());
	case ':':
		exit(usage_error(command, "The option %s of '%s' needs a value",
			QUOTED(argv[optind - 1]), command->name));
	case '?':
		exit(usage_error(command, "%s is not an option of '%s'", QUOTED(argv[index]),
			command->name));
	default:
		return option;
	}
}

/* Converts the one to three decimals after the point to thousandths. */
static bool parse_decimals(const char *text, unsigned long long *thousandths)
{
	size_t digits = strlen(text);

	if (digits > 3 || !parse_number(text, 999, thousandths, NULL))
		return false;
	for (; digits < 3; digits++)
		*thousandths *= 10;
	return true;
}

unsigned option_seconds(const struct command *command, const char *option, const char *text)
{
	unsigned long long seconds, thousandths = 0;
	const char *end;
	bool good = parse_number(text, MOST_SECONDS, &seconds, &end);

	if (good && *end)
		good = *end == '.' && parse_decimals(end + 1, &thousandths);
	if (!good || !(seconds + thousandths))
		exit(usage_error(command,
			"The option %s needs a number of seconds from 0.001 to %d, not %s", option,
			MOST_SECONDS, QUOTED(text)));
	return (unsigned)(seconds * 1000 + thousandths);
}

void option_device(const struct command *command, const char *text, struct device *device)
{
	if (!device_parse(text, device))
		exit(usage_error(command, "A device is TYPE/DOMID/DEVID, not %s", QUOTED(text)));
}

uint32_t option_token(const struct command *command, const char *text)
{
	uint32_t token;

	if (!parse_token(text, &token))
		exit(usage_error(command,
			"The option --token needs up to eight hexadecimal digits, not %s",
			QUOTED(text)));
	return token;
}
