/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Fuzzes the answers of the store that the helper takes apart itself. Run it with -close_fd_mask=2,
 * since each broken connection is complained about on standard error.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bulk.h"
#include "status.h"

#define QUESTIONS 70
/* What a socket takes without a reader. */
#define MOST_BYTES 65536

static bool put_path(void *context, size_t index, char *path)
{
	(void)context;
	/* Some are too long, which is answered without the store. */
	if (index % 16 == 15)
		return false;
	snprintf(path, STORE_PATH_SIZE, "backend/vbd/%zu", index);
	return true;
}

static int take(void *context, size_t index, int error, const char *data, size_t length)
{
	size_t *next = context;

	assert(index == *next && data && !data[length]);
	assert(!error || !length);
	for (size_t at = 0; at < length; at += strlen(data + at) + 1)
		assert(at + strlen(data + at) <= length);
	++*next;
	return STATUS_DONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int ends[2];
	size_t next = 0;

	if (!size || size > MOST_BYTES || socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 0;
	struct store store = {.socket = ends[0]};
	const struct bulk bulk = {
		.kind = data[0] & 1 ? BULK_READ : BULK_DIRECTORY,
		.count = QUESTIONS,
		.context = &next,
		.path = put_path,
		.answer = take,
	};
	if (send(ends[1], data + 1, size - 1, MSG_NOSIGNAL) == (ssize_t)(size - 1)) {
		shutdown(ends[1], SHUT_WR);
		int status = bulk_ask(&store, &bulk);
		assert(status == STATUS_FAILED || (status == STATUS_DONE && next == QUESTIONS));
	}
	close(ends[0]);
	close(ends[1]);
	return 0;
}
