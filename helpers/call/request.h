/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a script asks: requests that arrive over a socket, however they are cut into pieces. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The largest request, in bytes: more than any command line that the kernel takes. */
#define REQUEST_LIMIT ((size_t)4 << 20)

/* argv[0] is for the name of this program; argv[1] is the word that says what is asked. */
struct request {
	int argc;
	char **argv; /* ended by NULL; valid until the next inbox_receive() or inbox_next() */
};

/* The bytes that have arrived. All zero but `fd`: nothing yet. */
struct inbox {
	int fd; /* the socket */
	char *bytes;
	size_t used, room;
	size_t taken; /* bytes of the request that was returned last */
	size_t skip;  /* bytes still to come of a request that is too large */
	char **argv;
	size_t argv_room;
};

enum inbox_state {
	INBOX_REQUEST,	  /* *request is the next one */
	INBOX_INCOMPLETE, /* more has to arrive */
	INBOX_TOO_LARGE,  /* the next request has more than REQUEST_LIMIT bytes, and is dropped */
	INBOX_NONSENSE,	  /* what has arrived is no request: nothing can follow */
};

/*
 * Takes what has arrived, without waiting. Result: as of recv(2): bytes, 0 at the end, or -1 with
 * errno (EAGAIN where nothing has arrived).
 */
ssize_t inbox_receive(struct inbox *inbox);

/*
 * The next request: the number of bytes of its words in decimal digits, and the words, each of
 * these ended by NUL. Memory that runs out is INBOX_NONSENSE.
 */
enum inbox_state inbox_next(struct inbox *inbox, struct request *request);

/* Frees what it holds. */
void inbox_free(struct inbox *inbox);

#endif
