/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug await: waits until an interface is there, or can be reached by an address. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command.h"
#include "deadline.h"
#include "message.h"
#include "status.h"

#define WAIT_DEFAULT 2000 /* milliseconds */

/* An interface, and the family of the address that it must have; AF_UNSPEC for none. */
struct wanted {
	const char *name;
	unsigned char family;
};

/* A socket for requests, or for events of these groups. Result: -1 with errno. */
static int open_netlink(unsigned groups)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || !bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

/*
 * Is it a usable address of this family and interface? An IPv4 one may be for the link alone, but
 * not for this host; an IPv6 one is global and unique (RFC 4862).
 */
static bool is_usable(const struct nlmsghdr *message, unsigned char family, unsigned index)
{
	const struct ifaddrmsg *address = NLMSG_DATA(message);

	if (message->nlmsg_type != RTM_NEWADDR ||
		message->nlmsg_len < NLMSG_LENGTH(sizeof(*address)))
		return false;
	return address->ifa_family == family && address->ifa_index == index &&
	       !(address->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) &&
	       address->ifa_scope < (family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_SITE);
}

/* Reads all answers to a request for addresses. Result: whether one of them is usable. */
static bool find_usable(int fd, unsigned char family, unsigned index)
{
	_Alignas(struct nlmsghdr) char answer[32768];
	bool found = false;

	for (;;) {
		ssize_t length = recv(fd, answer, sizeof(answer), 0);
		if (length <= 0)
			return found;
		size_t rest = (size_t)length;
		for (struct nlmsghdr *message = (struct nlmsghdr *)answer; NLMSG_OK(message, rest);
			message = NLMSG_NEXT(message, rest)) {
			if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
				return found;
			found = found || is_usable(message, family, index);
		}
	}
}

static bool is_there(const struct wanted *wanted)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg address;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_GETADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.address = {.ifa_family = wanted->family},
	};
	unsigned index = if_nametoindex(wanted->name);

	if (!index || wanted->family == AF_UNSPEC)
		return index;
	int fd = open_netlink(0);
	bool found = fd >= 0 && send(fd, &request, sizeof(request), 0) == sizeof(request) &&
		     find_usable(fd, wanted->family, index);
	if (fd >= 0)
		close(fd);
	return found;
}

/* Removes the events that have come; those that the kernel had to drop were before, too. */
static void drain(int events)
{
	char event[8192];

	while (recv(events, event, sizeof(event), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		;
}

/* Subscribed before the first look, so that no change is missed. Result: a status. */
static int await(const struct wanted *wanted, unsigned wait_ms)
{
	long long end = now_ms() + wait_ms;
	int events = open_netlink(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
	struct pollfd ready = {.fd = events, .events = POLLIN};

	if (events < 0)
		return complain(STATUS_FAILED, "Cannot wait for the interface %s (%s).",
			QUOTED(wanted->name), strerror(errno));
	bool found = is_there(wanted);
	for (long long left = wait_ms; !found && left > 0; left = end - now_ms()) {
		poll(&ready, 1, (int)left);
		drain(events);
		found = is_there(wanted);
	}
	close(events);
	if (found)
		return STATUS_DONE;
	return complain(STATUS_LATE, "The interface %s has no%s after %g s.", QUOTED(wanted->name),
		wanted->family == AF_INET    ? " IPv4 address"
		: wanted->family == AF_INET6 ? " IPv6 address"
					     : "t come",
		wait_ms / 1000.0);
}

static int run_await(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"deadline", required_argument, NULL, 'd'},
		OPTION_HELP,
	};
	unsigned wait_ms = WAIT_DEFAULT;
	struct wanted wanted = {.family = AF_UNSPEC};

	while (next_option(command, argc, argv, options) != -1)
		wait_ms = option_seconds(command, "--deadline", optarg);
	if (argc - optind != 2)
		return usage_error(command, "'await' needs a condition and an interface");
	if (!strcmp(argv[optind], "ipv4"))
		wanted.family = AF_INET;
	else if (!strcmp(argv[optind], "ipv6"))
		wanted.family = AF_INET6;
	else if (strcmp(argv[optind], "link") != 0)
		return usage_error(command, "%s is none of link, ipv4, ipv6", QUOTED(argv[optind]));
	wanted.name = argv[optind + 1];
	return await(&wanted, deadline_within(wait_ms));
}

const struct command command_await = {
	.name = "await",
	.usage = "[--deadline SECONDS] link|ipv4|ipv6 INTERFACE",
	.summary = "waits until an interface is there, or has an address",
	.help = "\n"
		"An IPv6 address counts when duplicate address detection has ended.\n"
		"\n"
		"  --deadline SECONDS  wait so long for it (2)\n",
	.run = run_await,
};
