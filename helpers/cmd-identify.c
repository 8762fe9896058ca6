/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug identify. */
#include "command.h"
#include "message.h"
#include "status.h"
static int run_identify(const struct command *command, int argc, char *argv[])
{
	(void)command; (void)argc; (void)argv;
	return complain(STATUS_FAILED, "Not there yet.");
}
const struct command command_identify = {.name = "identify", .usage = "", .summary = "", .help = "", .run = run_identify};
