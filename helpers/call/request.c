/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a script asks: requests that arrive over a socket, however they are cut into pieces. */
#include "request.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "number.h"

#define CHUNK 65536
/* The digits of a length, and their NUL. */
#define LENGTH_DIGITS 11

static bool make_room(struct inbox *inbox)
{
	size_t room = inbox->used + CHUNK;

	if (room <= inbox->room)
		return true;
	char *bytes = realloc(inbox->bytes, room);
	if (!bytes)
		return false;
	inbox->bytes = bytes;
	inbox->room = room;
	return true;
}

/* Drops the first `count` bytes. */
static void drop(struct inbox *inbox, size_t count)
{
	inbox->used -= count;
	memmove(inbox->bytes, inbox->bytes + count, inbox->used);
}

ssize_t inbox_receive(struct inbox *inbox)
{
	if (!make_room(inbox)) {
		errno = ENOMEM;
		return -1;
	}
	ssize_t n = recv(
		inbox->fd, inbox->bytes + inbox->used, inbox->room - inbox->used, MSG_DONTWAIT);
	if (n > 0)
		inbox->used += (size_t)n;
	return n;
}

/* Reads the length before a request. Result: the bytes that it takes up, or 0. */
static size_t read_length(const struct inbox *inbox, enum inbox_state *state, size_t *length)
{
	unsigned long long number;
	const char *end = memchr(
		inbox->bytes, '\0', inbox->used < LENGTH_DIGITS ? inbox->used : LENGTH_DIGITS);

	*state = INBOX_INCOMPLETE;
	if (!end && inbox->used < LENGTH_DIGITS)
		return 0;
	*state = INBOX_NONSENSE;
	if (!end || !parse_number(inbox->bytes, INT_MAX, &number, NULL) || !number)
		return 0;
	*length = (size_t)number;
	return (size_t)(end - inbox->bytes) + 1;
}

/* Makes *request of the words in `length` bytes. */
static enum inbox_state split(
	struct inbox *inbox, char *words, size_t length, struct request *request)
{
	size_t count = 0;

	if (words[length - 1])
		return INBOX_NONSENSE;
	for (size_t i = 0; i < length; i++)
		count += !words[i];
	if (count + 2 > inbox->argv_room) {
		char **argv = realloc(inbox->argv, (count + 2) * sizeof(*argv));

		if (!argv)
			return INBOX_NONSENSE;
		inbox->argv = argv;
		inbox->argv_room = count + 2;
	}
	request->argv = inbox->argv;
	request->argc = 1;
	request->argv[0] = NULL;
	for (char *word = words; word < words + length; word += strlen(word) + 1)
		request->argv[request->argc++] = word;
	request->argv[request->argc] = NULL;
	return INBOX_REQUEST;
}

enum inbox_state inbox_next(struct inbox *inbox, struct request *request)
{
	enum inbox_state state;
	size_t length = 0;

	drop(inbox, inbox->taken);
	inbox->taken = 0;
	if (inbox->skip) {
		size_t dropped = inbox->skip < inbox->used ? inbox->skip : inbox->used;

		drop(inbox, dropped);
		inbox->skip -= dropped;
	}
	if (!inbox->used || inbox->skip)
		return INBOX_INCOMPLETE;
	size_t head = read_length(inbox, &state, &length);
	if (!head)
		return state;
	if (length > REQUEST_LIMIT) {
		drop(inbox, head);
		inbox->skip = length;
		return INBOX_TOO_LARGE;
	}
	if (inbox->used - head < length)
		return INBOX_INCOMPLETE;
	inbox->taken = head + length;
	return split(inbox, inbox->bytes + head, length, request);
}

void inbox_free(struct inbox *inbox)
{
	free(inbox->bytes);
	free(inbox->argv);
	*inbox = (struct inbox){.fd = -1};
}
