/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Fuzzes the requests of a script: whatever arrives, words are ended within the request, and it
 * makes no difference how the bytes are cut into pieces.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "call/request.h"

/* What a socket takes without a reader. */
#define MOST_BYTES 65536

/* What was received, as a number. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
	for (const unsigned char *p = bytes; length; length--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t mix_request(uint64_t hash, const struct inbox *inbox, const struct request *request)
{
	const char *expected = request->argv[1], *end = inbox->bytes + inbox->taken;

	assert(request->argc >= 2 && !request->argv[0] && !request->argv[request->argc]);
	assert(expected > inbox->bytes && inbox->taken <= inbox->used);
	for (int i = 1; i < request->argc; i++) {
		size_t size = strlen(request->argv[i]) + 1;

		assert(request->argv[i] == expected && expected + size <= end);
		hash = mix(hash, expected, size);
		expected += size;
	}
	assert(expected == end);
	return mix(hash, &request->argc, sizeof(request->argc));
}

/* Takes all requests that are there. Result: false after one that is none. */
static bool take(struct inbox *inbox, uint64_t *hash)
{
	struct request request;
	enum inbox_state state;

	while ((state = inbox_next(inbox, &request)) != INBOX_INCOMPLETE) {
		*hash = mix(*hash, &state, sizeof(state));
		if (state == INBOX_NONSENSE)
			return false;
		if (state == INBOX_REQUEST)
			*hash = mix_request(*hash, inbox, &request);
	}
	return true;
}

static uint64_t receive(const uint8_t *data, size_t size, size_t piece)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	struct inbox inbox = {.fd = -1};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 0;
	inbox.fd = ends[0];
	for (size_t at = 0; at < size; at += piece) {
		size_t length = size - at < piece ? size - at : piece;

		if (send(ends[1], data + at, length, MSG_NOSIGNAL) != (ssize_t)length)
			break;
		while (inbox_receive(&inbox) > 0)
			;
		if (!take(&inbox, &hash))
			break;
	}
	inbox_free(&inbox);
	close(ends[0]);
	close(ends[1]);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size || size > MOST_BYTES)
		return 0;
	uint64_t whole = receive(data + 1, size - 1, MOST_BYTES);
	uint64_t pieces = receive(data + 1, size - 1, (size_t)data[0] + 1);

	assert(whole == pieces);
	return 0;
}
