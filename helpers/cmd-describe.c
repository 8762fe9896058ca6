/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug describe: the help of a script, from what it declares. */
#include <string.h>

#include "accept.h"
#include "command.h"
#include "output.h"
#include "status.h"

enum { SCRIPT, KIND, ABOUT, TOOLS, FIXED_WORDS };

/* Says where the values are that are printed next. */
static void introduce(struct output *out, char *const words[], size_t count)
{
	if (!strcmp(words[KIND], "vif"))
		output_field(out,
			"An interface with script=%s has these nodes, in addition to vifname and "
			"mtu:",
			words[SCRIPT]);
	else if (count > FIXED_WORDS && !strcmp(words[FIXED_WORDS], PARAMETER_TARGET))
		output_field(
			out, "The target of a disk with script=%s is one value:", words[SCRIPT]);
	else
		output_field(out,
			"The target of a disk with script=%s is a list, name=value,name=value, of:",
			words[SCRIPT]);
}

static void put_parameter(struct output *out, char *const words[])
{
	const char *name = words[0], *type = words[1], *fallback = words[2], *about = words[3];

	if (!strcmp(name, PARAMETER_TARGET))
		output_field(out, "  %s  (%s) %s", name, type, about);
	else if (!*fallback)
		output_field(out, "  %s  (%s, must be given) %s", name, type, about);
	else
		output_field(out, "  %s  (%s%s%s) %s", name, type, fallback[1] ? ", default " : "",
			fallback + 1, about);
}

static int run_describe(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {OPTION_HELP};
	struct output out = {0};

	while (next_option(command, argc, argv, options) != -1)
		;
	char **words = argv + optind;
	size_t count = (size_t)(argc - optind);
	if (count < FIXED_WORDS || (count - FIXED_WORDS) % PARAMETER_WORDS)
		return usage_error(command, "'describe' needs four arguments and whole parameters");
	output_field(&out, "%s: %s\n", words[SCRIPT], words[ABOUT]);
	introduce(&out, words, count);
	for (size_t i = FIXED_WORDS; i < count; i += PARAMETER_WORDS)
		put_parameter(&out, words + i);
	if (*words[TOOLS])
		output_field(&out, "\nNeeds: %s", words[TOOLS]);
	output_field(&out, "\nFor a person, with XENBUS_PATH set: %s check, %s plan.",
		words[SCRIPT], words[SCRIPT]);
	int status = output_flush(&out);
	output_free(&out);
	return status;
}

const struct command command_describe = {
	.name = "describe",
	.usage = "SCRIPT vif|block SENTENCE TOOLS [NAME TYPE DEFAULT ABOUT]...",
	.summary = "prints the help of a script",
	.help = "\n"
		"Each paragraph or line is a field. For the parameters, see 'accept'.\n",
	.run = run_describe,
};
