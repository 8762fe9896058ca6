/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug claim. */
#include "command.h"
#include "message.h"
#include "status.h"
static int run_claim(const struct command *command, int argc, char *argv[])
{
	(void)command; (void)argc; (void)argv;
	return complain(STATUS_FAILED, "Not there yet.");
}
const struct command command_claim = {.name = "claim", .usage = "", .summary = "", .help = "", .run = run_claim};
