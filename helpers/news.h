/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the kernel tells about rules that were removed and interfaces that were renamed. */
#ifndef NEWS_H
#define NEWS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "disk/device.h"

/* Which rules may be gone. */
enum news {
	NEWS_NONE,
	NEWS_DEVICE, /* one device's filter */
	NEWS_SHARED, /* those that guests share */
	NEWS_ALL,    /* all */
};

/*
 * Parses one message of nfnetlink's group NFNLGRP_NFTABLES, `length` bytes at `message`, which is
 * aligned as a struct nlmsghdr. Sets *device with NEWS_DEVICE. Anything else is NEWS_NONE.
 */
enum news news_of_rules(const void *message, size_t length, struct device *device);

/* An interface as rtnetlink tells of it. */
struct news_link {
	unsigned index;
	bool gone;
	char name[IF_NAMESIZE];
};

/* Parses one message of rtnetlink's group RTNLGRP_LINK likewise. Result: whether it is one. */
bool news_of_link(const void *message, size_t length, struct news_link *link);

#endif
