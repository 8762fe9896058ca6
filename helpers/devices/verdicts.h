/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a device's script says of each of its resources. */
#ifndef VERDICTS_H
#define VERDICTS_H

#include "devices/inventory.h"
#include "devices/state.h"
#include "recorded.h"

/* As many resources are kept. */
#define MOST_VERDICTS 64

enum verdict { VERDICT_OK, VERDICT_BROKEN, VERDICT_NOT_CHECKED };

/* A resource, in the order of the journal. */
struct resource_verdict {
	enum verdict verdict;
	const char *resource;
	const char *reason; /* "" where there is none */
};

struct verdicts {
	char *text; /* what the script has printed, cut into strings */
	struct resource_verdict all[MOST_VERDICTS];
	size_t count;
	bool ended; /* the script has judged; otherwise a sentence says why not */
	char sentence[RECORDED_SENTENCE_SIZE];
};

/*
 * Judges a device as state_judge(), and by the `check` of the script that attached it, if it has a
 * journal and no script works on it. Waits for that for as long as libxl does. XENBUS_PATH of this
 * process changes. The caller frees *verdicts, which has no resources if no script was asked.
 */
void verdicts_judge(
	const struct entry *entry, struct judgement *judgement, struct verdicts *verdicts);

/* Parses what a check prints, which is changed and stays in use: VERDICT RESOURCE[: REASON]. */
void verdicts_parse(char *text, struct verdicts *verdicts);

/* The words for a verdict. */
const char *verdict_words(enum verdict verdict);

/* Frees what it holds. */
void verdicts_free(struct verdicts *verdicts);

#endif
