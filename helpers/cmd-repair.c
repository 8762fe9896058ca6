/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug repair: restores the rules of interfaces that other programs have removed. */
#include <time.h>

#include "command.h"
#include "deadline.h"
#include "message.h"
#include "repair.h"
#include "status.h"

/* How long a device is waited for on which another script works. */
#define WAIT_MS 40000
#define PAUSE_NS 100000000

static int run_repair(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {OPTION_HELP};
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	struct repair repair = {.all = false};
	long long end = now_ms() + WAIT_MS;
	char text[DEVICE_TEXT_SIZE];
	struct device device;

	while (next_option(command, argc, argv, options) != -1)
		;
	repair.all = argc == optind;
	for (int i = optind; i < argc; i++) {
		option_device(command, argv[i], &device);
		repair_add_device(&repair, &device);
	}
	bool well = repair_run(&repair);
	while (!repair_is_empty(&repair) && now_ms() < end) {
		nanosleep(&pause, NULL);
		well &= repair_run(&repair);
	}
	for (size_t i = 0; i < repair.device_count; i++)
		complain(STATUS_LATE,
			"The rules of %s are not checked, because another script works on it; try "
			"again later.",
			device_text(&repair.devices[i], text));
	well &= repair_is_empty(&repair);
	repair_free(&repair);
	return well ? STATUS_DONE : STATUS_FAILED;
}

const struct command command_repair = {
	.name = "repair",
	.usage = "[vif/DOMID/DEVID...]",
	.summary = "restores firewall rules of interfaces that other programs have removed",
	.help = "\n"
		"Looks at each interface that is attached and has rules: the filter of ip=, those\n"
		"that masquerade, those in iptables. If some are gone, as after 'nft flush\n"
		"ruleset', its script restores them and prints a line. The exit status is 1 if\n"
		"some are still not there.\n"
		"With arguments it looks at these interfaces alone.\n",
	.run = run_repair,
};
