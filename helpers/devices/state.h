/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is known of a device's state, without asking its script. */
#ifndef STATE_H
#define STATE_H

#include "devices/inventory.h"
#include "message.h"

enum state {
	STATE_OK,	 /* attached; what it has is there, as far as the kernel tells */
	STATE_BROKEN,	 /* something of it is gone or was changed */
	STATE_STALE,	 /* its nodes are gone; xen-hotplug gc releases it */
	STATE_ATTACHING, /* its script is at work */
	STATE_DETACHING, /* the same */
	STATE_FAILED,	 /* its attach failed, and nothing is left of that */
	STATE_WAITING,	 /* no script has attached it yet */
	STATE_OTHERS,	 /* another script than ours has attached it */
	STATE_UNKNOWN,	 /* the store or the journal cannot be read */
};

/* A state, and what else is to be said of it. */
struct judgement {
	enum state state;
	long long since; /* its attach, in seconds since 1970; 0: not known */
	char reason[SENTENCE_LIMIT +
		    16]; /* escaped, without a full stop; "" where none is needed */
};

/* Judges by its journal, its nodes and sysfs. */
void state_judge(const struct entry *entry, struct judgement *judgement);

/* The word for a state in JSON, such as "ok". */
const char *state_word(enum state state);

/* Room for state_text(). */
#define STATE_TEXT_SIZE (SENTENCE_LIMIT + 80)

/*
 * Describes a state for people: "ok", "broken: its interface web is gone", "attaching for 3 s".
 * `now` is in seconds since 1970. Result: text.
 */
const char *state_text(
	const struct judgement *judgement, long long now, char text[STATE_TEXT_SIZE]);

/* Room for the name of a bridge. */
#define BRIDGE_SIZE 256

/*
 * Finds what a device is for people: the image or export of a disk, the bridge or the addresses of
 * an interface; of any bytes. Result: NULL if nothing is known; `bridge` may have it.
 */
const char *state_what(const struct entry *entry, char bridge[BRIDGE_SIZE]);

/* The script's path, or NULL if it is not known. */
const char *state_script(const struct entry *entry);

#endif
