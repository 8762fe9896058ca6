/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug type: whether a value is of a parameter's type. */
#include "command.h"
#include "output.h"
#include "status.h"
#include "type.h"

static int run_type(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {OPTION_HELP};
	char expected[EXPECTED_SIZE] = "";
	struct output out = {0};

	while (next_option(command, argc, argv, options) != -1)
		;
	if (argc - optind != 2 || !type_is_known(argv[optind]))
		return usage_error(command, "'type' needs one of its types, and a value");
	type_accepts(argv[optind], argv[optind + 1], expected);
	output_field(&out, "%s", expected);
	int status = output_flush(&out);
	output_free(&out);
	return status;
}

const struct command command_type = {
	.name = "type",
	.usage = "TYPE VALUE",
	.summary = "tells whether a value is of a parameter's type",
	.help = "\n"
		"Prints nothing in its field if it is; otherwise the end of the sentence '... is\n"
		"VALUE, which is not ...'. A TYPE is word, uint, port, bool, choice:A,B, ifname,\n"
		"host, mtu, path, disk, mode or mac.\n",
	.run = run_type,
};
