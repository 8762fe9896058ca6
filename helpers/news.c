/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the kernel tells about rules that were removed and interfaces that were renamed. */
#include "news.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Our tables and chains (hotplug/common/resources). */
#define FILTER_TABLE "xen_hotplug"
#define NAT_TABLE "xen_hotplug_nat"
#define IPTABLES_CHAIN "XEN_HOTPLUG"
/* Names are at most NFT_NAME_MAXLEN - 1 bytes long. */
#define NAME_SIZE NFT_NAME_MAXLEN
/* Since Linux 6.3, `nft destroy` is told so (enum nf_tables_msg_types). */
enum { DESTROYED_TABLE = 26, DESTROYED_CHAIN = 27, DESTROYED_RULE = 28, DESTROYED_ELEMENT = 30 };

/* The rest of a message: its attributes. */
struct rest {
	const char *at;
	size_t length;
};

/*
 * Checks that there is one whole message, and skips the header of its subsystem. Result: whether
 * there is.
 */
static bool open_message(const void *message, size_t length, size_t header, struct rest *rest)
{
	const struct nlmsghdr *head = message;

	if (length < sizeof(*head) || head->nlmsg_len < sizeof(*head) || head->nlmsg_len > length ||
		head->nlmsg_len - NLMSG_HDRLEN < NLMSG_ALIGN(header))
		return false;
	rest->at = (const char *)message + NLMSG_HDRLEN + NLMSG_ALIGN(header);
	rest->length = head->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(header);
	return true;
}

/* Copies the attribute of that type, a text. Result: whether there is one that fits. */
static bool find_text(struct rest rest, unsigned type, char *text, size_t size)
{
	struct nlattr head;

	while (rest.length >= sizeof(head)) {
		memcpy(&head, rest.at, sizeof(head));
		if (head.nla_len < NLA_HDRLEN || head.nla_len > rest.length)
			return false;
		size_t payload = head.nla_len - (size_t)NLA_HDRLEN;
		if ((head.nla_type & NLA_TYPE_MASK) == type) {
			const char *from = rest.at + NLA_HDRLEN;
			size_t used = strnlen(from, payload);

			if (used >= size)
				return false;
			memcpy(text, from, used);
			text[used] = '\0';
			return true;
		}
		size_t whole = NLA_ALIGN((size_t)head.nla_len);
		if (whole > rest.length)
			return false;
		rest.at += whole;
		rest.length -= whole;
	}
	return false;
}

/* The device of a filter's chain, which is called vifDOMID.DEVID or vifDOMID.DEVID-emu. */
static enum news of_filter(const char *chain, struct device *device)
{
	unsigned domid, devid;
	int length = 0;
	char text[DEVICE_TEXT_SIZE];

	if (sscanf(chain, "vif%5u.%9u%n", &domid, &devid, &length) < 2 || !length ||
		(chain[length] && strcmp(chain + length, "-emu") != 0))
		return NEWS_NONE;
	snprintf(text, sizeof(text), "vif/%u/%u", domid, devid);
	return device_parse(text, device) ? NEWS_DEVICE : NEWS_NONE;
}

/* A table that iptables has in nftables is anybody's; of its rules, only jumps are ours. */
static bool may_jump(const char *table, const char *chain)
{
	return (!strcmp(table, "filter") && !strcmp(chain, "FORWARD")) ||
	       (!strcmp(table, "nat") && !strcmp(chain, "POSTROUTING"));
}

static enum news of_table(struct rest rest)
{
	char table[NAME_SIZE];

	if (!find_text(rest, NFTA_TABLE_NAME, table, sizeof(table)))
		return NEWS_NONE;
	if (!strcmp(table, FILTER_TABLE))
		return NEWS_ALL;
	return !strcmp(table, NAT_TABLE) || !strcmp(table, "filter") || !strcmp(table, "nat")
		       ? NEWS_SHARED
		       : NEWS_NONE;
}

static enum news of_chain(
	struct rest rest, unsigned table_type, unsigned chain_type, struct device *device)
{
	char table[NAME_SIZE], chain[NAME_SIZE];

	if (!find_text(rest, table_type, table, sizeof(table)) ||
		!find_text(rest, chain_type, chain, sizeof(chain)))
		return NEWS_NONE;
	if (!strcmp(table, FILTER_TABLE))
		return of_filter(chain, device);
	return !strcmp(table, NAT_TABLE) || may_jump(table, chain) ||
			       !strncmp(chain, IPTABLES_CHAIN, strlen(IPTABLES_CHAIN))
		       ? NEWS_SHARED
		       : NEWS_NONE;
}

/* A flush of the set of guests who are masqueraded. */
static enum news of_elements(struct rest rest)
{
	char table[NAME_SIZE];

	return find_text(rest, NFTA_SET_ELEM_LIST_TABLE, table, sizeof(table)) &&
			       !strcmp(table, NAT_TABLE)
		       ? NEWS_SHARED
		       : NEWS_NONE;
}

enum news news_of_rules(const void *message, size_t length, struct device *device)
{
	const struct nlmsghdr *head = message;
	struct rest rest;

	if (!open_message(message, length, sizeof(struct nfgenmsg), &rest) ||
		NFNL_SUBSYS_ID(head->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
		return NEWS_NONE;
	switch (NFNL_MSG_TYPE(head->nlmsg_type)) {
	case NFT_MSG_DELTABLE:
	case DESTROYED_TABLE:
		return of_table(rest);
	case NFT_MSG_DELCHAIN:
	case DESTROYED_CHAIN:
		return of_chain(rest, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, device);
	case NFT_MSG_DELRULE:
	case DESTROYED_RULE:
		return of_chain(rest, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, device);
	case NFT_MSG_DELSETELEM:
	case DESTROYED_ELEMENT:
		return of_elements(rest);
	default:
		return NEWS_NONE;
	}
}

bool news_of_link(const void *message, size_t length, struct news_link *link)
{
	const struct nlmsghdr *head = message;
	struct ifinfomsg info;
	struct rest rest;

	if (!open_message(message, length, sizeof(info), &rest) ||
		(head->nlmsg_type != RTM_NEWLINK && head->nlmsg_type != RTM_DELLINK))
		return false;
	memcpy(&info, (const char *)message + NLMSG_HDRLEN, sizeof(info));
	*link = (struct news_link){
		.index = (unsigned)info.ifi_index, .gone = head->nlmsg_type == RTM_DELLINK};
	/* A bridge tells of its ports leaving it by RTM_DELLINK, too. */
	return info.ifi_family == AF_UNSPEC && info.ifi_index > 0 &&
	       find_text(rest, IFLA_IFNAME, link->name, sizeof(link->name));
}
