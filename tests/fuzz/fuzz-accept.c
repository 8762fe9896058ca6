/* SPDX-License-Identifier: LGPL-2.1-only */
/* Fuzzes the check of a device's nodes and of a script's parameters, of which a guest writes some.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "accept.h"

/* The next text of the input, ended by a NUL, which the input's last byte is. */
static char *next_text(char **at, char *end)
{
	char *text = *at < end ? *at : end - 1;

	*at = text + strlen(text) + 1;
	return text;
}

static void judge(const struct declared *declared)
{
	struct accepted accepted = {.count = 0};

	assert(accept_declared(declared, &accepted));
	assert(strlen(accepted.device) < REFUSAL_SIZE &&
		strlen(accepted.parameters) < REFUSAL_SIZE);
	if (!accepted.device[0] && !accepted.parameters[0])
		assert(accepted.count == declared->parameter_count + (declared->interface ? 3 : 1));
	accepted_free(&accepted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *words[] = {"mode_x", "mode", "", "A.", "a", "word", "=1", "B.", "b",
		"choice:x,yy,z", "=", "C.", "c", "disk", "=", "D.", "d", "host", "=", "E.", "e",
		"ifname", "=", "F.", "f", "mine", "=", "G."};
	static char *whole[] = {PARAMETER_TARGET, "disk", "", "A."};
	struct declared declared = {.base = "b", .script = "block-own", .device = {.type = "vbd"}};
	char *text = calloc(1, size + 1), *at = text;

	if (size)
		memcpy(text, data, size);
	char what = size ? text[0] : 0;
	declared.interface = what & 1 ? "vif1.0" : NULL;
	declared.is_tap = what & 2;
	declared.may_go = what & 4;
	bool is_whole = what & 8;
	assert(declared_parse(&declared, is_whole ? whole : words,
		is_whole ? PARAMETER_WORDS : sizeof(words) / sizeof(words[0])));
	at += size ? 1 : 0;
	for (size_t i = 0; i < declared.node_count; i++) {
		char *value = next_text(&at, text + size + 1);

		/* An absent node, and one that is empty. */
		declared.nodes[i].value = !strcmp(value, "-") ? NULL : strdup(value);
	}
	judge(&declared);
	declared_free(&declared);
	free(text);
	return 0;
}
