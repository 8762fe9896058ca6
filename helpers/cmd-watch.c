/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug watch: restores rules of interfaces as soon as the kernel tells of their removal. */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "array.h"
#include "command.h"
#include "deadline.h"
#include "message.h"
#include "news.h"
#include "repair.h"
#include "status.h"

/* A flush of some thousand rules tells of each. What is lost is noticed (ENOBUFS). */
#define RECEIVE_BYTES (4 << 20)
#define MESSAGE_BYTES 65536
/* Between two repairs; longer if the second comes so soon after the first. */
#define PAUSE_NS 50000000
#define PAUSE_MOST_NS 800000000
#define SOON_MS 1000
/* While other scripts work on some devices, these are looked at again so often. */
#define LOCKED_MS 200
/* After a failure, all are, at first after so long and then ever more seldom. */
#define FAILED_MS 1000
#define FAILED_MOST_MS 300000

struct watch {
	int rules, links;	 /* the sockets */
	struct news_link *known; /* the interfaces, by the names that were told last */
	size_t count, room;
	struct repair repair;
	int failed_ms;	 /* 0: the last repair was well */
	long long retry; /* when all are looked at again, if failed_ms is set */
	long long ended; /* when the last repair ended (now_ms()) */
	long pause_ns;	 /* how long it has waited */
	/* Aligned for struct nlmsghdr. */
	_Alignas(NLMSG_ALIGNTO) char bytes[MESSAGE_BYTES];
};

/* Result: a socket that gets the messages of the group, or -1 with a complaint. */
static int join(int protocol, unsigned group)
{
	const struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_groups = 1U << (group - 1)};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	const int bytes = RECEIVE_BYTES;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (fd >= 0 && !bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	complain(STATUS_FAILED, "Cannot watch the rules and interfaces (%s); run this as root.",
		strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static struct news_link *find_known(struct watch *watch, unsigned index)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->known[i].index == index)
			return &watch->known[i];
	return NULL;
}

static void forget(struct watch *watch, struct news_link *known)
{
	if (known)
		*known = watch->known[--watch->count];
}

static void learn(struct watch *watch, const struct news_link *link)
{
	struct news_link *all = array_room(watch->known, watch->count, &watch->room, sizeof(*all));

	if (!all)
		return;
	watch->known = all;
	all[watch->count++] = *link;
}

/* Learns the interfaces that there are. */
static void learn_all(struct watch *watch)
{
	struct if_nameindex *all = if_nameindex();

	watch->count = 0;
	for (size_t i = 0; all && all[i].if_index; i++) {
		struct news_link link = {.index = all[i].if_index};

		snprintf(link.name, sizeof(link.name), "%s", all[i].if_name);
		learn(watch, &link);
	}
	if_freenameindex(all);
}

/* An interface that is renamed loses its filter since Linux 6.16. A new one has none yet. */
static void take_link(struct watch *watch, const struct news_link *link)
{
	struct news_link *known = find_known(watch, link->index);

	if (link->gone) {
		forget(watch, known);
		return;
	}
	if (known && strcmp(known->name, link->name) != 0)
		repair_add_link(&watch->repair, link->index);
	if (known)
		*known = *link;
	else
		learn(watch, link);
}

static void take_rules(struct watch *watch, const char *message, size_t length)
{
	struct device device;

	switch (news_of_rules(message, length, &device)) {
	case NEWS_ALL:
		watch->repair.all = true;
		break;
	case NEWS_SHARED:
		watch->repair.shared = true;
		break;
	case NEWS_DEVICE:
		repair_add_device(&watch->repair, &device);
		break;
	case NEWS_NONE:
		break;
	}
}

/* The messages of one datagram. */
static void take_datagram(struct watch *watch, int fd, size_t length)
{
	struct news_link link;

	for (size_t at = 0; length - at >= sizeof(struct nlmsghdr);) {
		const char *message = watch->bytes + at;
		size_t size = ((const struct nlmsghdr *)(const void *)message)->nlmsg_len;

		if (size < sizeof(struct nlmsghdr) || size > length - at)
			return;
		if (fd == watch->rules)
			take_rules(watch, message, size);
		else if (news_of_link(message, size, &link))
			take_link(watch, &link);
		size = NLMSG_ALIGN(size);
		at += size < length - at ? size : length - at;
	}
}

/* All that a socket has. Only the kernel is believed. */
static void drain(struct watch *watch, int fd)
{
	struct sockaddr_nl from;

	for (;;) {
		struct iovec part = {.iov_base = watch->bytes, .iov_len = sizeof(watch->bytes)};
		struct msghdr message = {.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &part,
			.msg_iovlen = 1};
		ssize_t n = recvmsg(fd, &message, 0);

		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			return;
		/* Some were lost. */
		if (n < 0 && errno == ENOBUFS) {
			learn_all(watch);
			watch->repair.all = true;
		}
		if (n > 0 && !from.nl_pid)
			take_datagram(watch, fd, (size_t)n);
	}
}

/*
 * How long to wait before the next repair, in nanoseconds. A repair may itself be news, and so may
 * another program that removes what it restores: then each one waits twice as long as the last.
 */
static long next_pause(struct watch *watch)
{
	bool soon = watch->pause_ns && now_ms() - watch->ended < SOON_MS;

	if (!soon)
		watch->pause_ns = PAUSE_NS;
	else if (watch->pause_ns < PAUSE_MOST_NS)
		watch->pause_ns *= 2;
	return watch->pause_ns;
}

/* After a repair: when all are to be looked at again. */
static void plan_retry(struct watch *watch, bool all, bool well)
{
	if (!well)
		watch->failed_ms = watch->failed_ms ? 2 * watch->failed_ms : FAILED_MS;
	else if (all)
		watch->failed_ms = 0;
	if (watch->failed_ms > FAILED_MOST_MS)
		watch->failed_ms = FAILED_MOST_MS;
	if (all || !well)
		watch->retry = now_ms() + watch->failed_ms;
}

/* Milliseconds until all are to be looked at again; -1: never. */
static int until_retry(const struct watch *watch)
{
	long long left = watch->retry - now_ms();

	if (!watch->failed_ms)
		return -1;
	return left > 0 ? (int)left : 0;
}

/* Repairs what is to be. Result: milliseconds until the next look without news; -1: for ever. */
static int work(struct watch *watch)
{
	if (!until_retry(watch))
		watch->repair.all = true;
	if (repair_is_empty(&watch->repair))
		return until_retry(watch);
	const struct timespec pause = {.tv_nsec = next_pause(watch)};
	bool all = watch->repair.all;
	bool well = repair_run(&watch->repair);
	nanosleep(&pause, NULL);
	watch->ended = now_ms();
	plan_retry(watch, all, well);
	return repair_is_empty(&watch->repair) ? until_retry(watch) : LOCKED_MS;
}

/* Until a signal ends this process. */
static void serve(struct watch *watch)
{
	struct pollfd sockets[] = {
		{.fd = watch->rules, .events = POLLIN}, {.fd = watch->links, .events = POLLIN}};

	for (;;) {
		poll(sockets, 2, work(watch));
		drain(watch, watch->links);
		drain(watch, watch->rules);
	}
}

static int run_watch(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {OPTION_HELP};
	static struct watch watch;

	while (next_option(command, argc, argv, options) != -1)
		;
	if (argc != optind)
		return usage_error(command, "'watch' takes no argument");
	watch.rules = join(NETLINK_NETFILTER, NFNLGRP_NFTABLES);
	watch.links = watch.rules < 0 ? -1 : join(NETLINK_ROUTE, RTNLGRP_LINK);
	if (watch.links < 0)
		return STATUS_FAILED;
	learn_all(&watch);
	/* What was removed before is looked for once. */
	watch.repair.all = true;
	puts("Watching the rules of guests' interfaces.");
	fflush(stdout);
	serve(&watch);
	return STATUS_DONE;
}

const struct command command_watch = {
	.name = "watch",
	.usage = "",
	.summary = "runs until it is ended, and repairs rules as soon as they are removed",
	.help = "\n"
		"The kernel tells of each rule that is removed and of each interface that is\n"
		"renamed. If it concerns a guest's, this does what 'xen-hotplug repair' does. It\n"
		"does so once at the start, too. Its systemd unit is xen-hotplug-rules.service.\n",
	.run = run_watch,
};
