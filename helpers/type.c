/* SPDX-License-Identifier: LGPL-2.1-only */
/* The types that a script's parameter may have, as far as a shell is not needed for them. */
#include "type.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
/* What a firewall or a tool could take for something else than a part of a name. */
#define NOT_IN_IFNAME "/:#\"'\\ \t\n\v\f\r"

#define IFNAME_MOST 15
#define WORD_MOST 255
#define PATH_MOST (PATH_MAX - 1)
/* Of a name under /dev, in front of which that is put. */
#define NAME_MOST (PATH_MOST - 5)
#define MTU_LEAST 68
#define MTU_MOST 65535
#define PORT_MOST 65535

/* Whether the text is one of those that the list has, each between two bars. */
static bool is_listed(const char *text, const char *list)
{
	size_t length = strcspn(text, "|");

	for (const char *at = list; !text[length] && (at = strchr(at, '|')) && at[1]; at++)
		if (!strncmp(at + 1, text, length) && at[1 + length] == '|')
			return true;
	return false;
}

static bool has_only(const char *text, const char *bytes)
{
	return !text[strspn(text, bytes)];
}

/* A decimal number without needless zeros. */
static bool is_number(const char *text, unsigned least, unsigned most)
{
	unsigned number;

	return (text[0] != '0' || !text[1]) && parse_unsigned(text, most, &number) &&
	       number >= least;
}

static bool is_word(const char *value, const char *detail)
{
	(void)detail;
	return *value && *value != '-' && strlen(value) <= WORD_MOST &&
	       has_only(value, LETTERS DIGITS "._:@+-");
}

static bool is_uint(const char *value, const char *detail)
{
	(void)detail;
	return is_number(value, 0, UINT_MAX);
}

static bool is_port(const char *value, const char *detail)
{
	(void)detail;
	return is_number(value, 1, PORT_MOST);
}

static bool is_mtu(const char *value, const char *detail)
{
	(void)detail;
	return is_number(value, MTU_LEAST, MTU_MOST);
}

static bool is_bool(const char *value, const char *detail)
{
	(void)detail;
	return is_listed(value, "|y|n|");
}

/* r, w, and w!, which is w without the check for other users; and their old spellings. */
static bool is_mode(const char *value, const char *detail)
{
	(void)detail;
	return is_listed(value, "|r|ro|w|rw|w!|rw!|");
}

static bool is_choice(const char *value, const char *detail)
{
	size_t length = strlen(value);

	if (!length || strchr(value, ','))
		return false;
	for (; detail; detail = strchr(detail, ',')) {
		detail += *detail == ',';
		if (!strncmp(detail, value, length) && (!detail[length] || detail[length] == ','))
			return true;
	}
	return false;
}

/*
 * What the kernel accepts (dev_valid_name in Linux' net/core/dev.c), without what a tool would take
 * for an option, a comment or a quote.
 */
static bool is_interface(const char *value, const char *detail)
{
	(void)detail;
	if (!*value || strchr(".-", *value) || strlen(value) > IFNAME_MOST)
		return false;
	for (const char *at = value; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f || strchr(NOT_IN_IFNAME, *at))
			return false;
	return true;
}

/*
 * A name that the kernel takes for an interface: in /proc/sys/net, all and default are no
 * interfaces, bonding_masters is a file in /sys/class/net, and % asks for a number.
 */
static bool is_for_guests(const char *value, const char *detail)
{
	(void)detail;
	return !is_listed(value, "|all|default|lo|bonding_masters|") && !strchr(value, '%');
}

static bool is_host(const char *value, const char *detail)
{
	size_t length = strlen(value);

	(void)detail;
	if (strchr(value, ':') && has_only(value, HEX_DIGITS ":."))
		return strspn(value, HEX_DIGITS ":") > strcspn(value, ":");
	return length && length <= WORD_MOST && has_only(value, LETTERS DIGITS ".-") &&
	       !strchr(".-", value[0]) && !strchr(".-", value[length - 1]);
}

/* Spaces, quotes and newlines are legal in one. */
static bool is_path(const char *value, const char *detail)
{
	(void)detail;
	return *value == '/' && strlen(value) <= PATH_MOST;
}

/*
 * A path, or a name under /dev, as in phy:sda1. udev makes names with : + @ and backslashes, and
 * LVM with a dot.
 */
static bool is_disk(const char *value, const char *detail)
{
	if (is_path(value, detail))
		return true;
	if (!*value || strlen(value) > NAME_MOST)
		return false;
	for (const char *part = value; part; part = strchr(part, '/')) {
		part += *part == '/' && part != value;
		size_t length = strcspn(part, "/");

		if (!length || length > NAME_MAX || (length <= 2 && !strncmp(part, "..", length)))
			return false;
	}
	return true;
}

static bool is_mac(const char *value, const char *detail)
{
	(void)detail;
	for (int i = 0; i < 6; i++, value += 3)
		if (strspn(value, HEX_DIGITS) != 2 || value[2] != (i < 5 ? ':' : '\0'))
			return false;
	return true;
}

/* A type has a line for each thing that its values must be. */
static const struct type {
	const char *name;
	bool (*accepts)(const char *value, const char *detail);
	const char *expected;
} types[] = {
	{"word", is_word,
		"a word of at most 255 letters, digits and the characters . _ : @ + -, not "
		"beginning with a dash"},
	{"uint", is_uint, "a number from 0 to 4294967295"},
	{"port", is_port, "a port number from 1 to 65535"},
	{"bool", is_bool, "y or n"},
	{"choice", is_choice, "one of "},
	{"ifname", is_interface,
		"the name of an interface: 1 to 15 bytes without spaces, quotes and the characters "
		"/ : # \\, not beginning with a dash or a full stop"},
	{"ifname", is_for_guests,
		"the name of an interface for guests (not all, default, lo or bonding_masters, and "
		"without %)"},
	{"host", is_host, "the name or address of a host"},
	{"mtu", is_mtu, "an MTU from 68 to 65535"},
	{"path", is_path, "an absolute path of at most 4095 bytes"},
	{"disk", is_disk, "an absolute path, or the name of a device under /dev"},
	{"mode", is_mode, "one of r, ro, w, rw, w!, rw!"},
	{"mac", is_mac, "a MAC address, such as 00:16:3e:00:00:01"},
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

/* Whether the text, up to its colon, is the name. */
static bool is_named(const char *type, const char *name)
{
	size_t length = strcspn(type, ":");

	return strlen(name) == length && !strncmp(type, name, length);
}

bool type_is_known(const char *type)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (is_named(type, types[i].name))
			return true;
	return false;
}

/* "one of a, b, c" of a,b,c. */
static void list_choices(char expected[EXPECTED_SIZE], const char *detail)
{
	size_t used = strlen(expected);

	for (; *detail && used + 3 < EXPECTED_SIZE; detail++) {
		expected[used++] = *detail;
		if (*detail == ',')
			expected[used++] = ' ';
	}
	expected[used] = '\0';
}

bool type_accepts(const char *type, const char *value, char expected[EXPECTED_SIZE])
{
	const char *colon = strchr(type, ':'), *detail = colon ? colon + 1 : "";

	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (!is_named(type, types[i].name) || types[i].accepts(value, detail))
			continue;
		snprintf(expected, EXPECTED_SIZE, "%s", types[i].expected);
		if (types[i].accepts == is_choice)
			list_choices(expected, detail);
		return false;
	}
	return true;
}
