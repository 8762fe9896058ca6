/* SPDX-License-Identifier: LGPL-2.1-only */
/* The result on stdout: fields ended by NUL, buffered until the command has succeeded; or text. */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "status.h"

static char *output_room(struct output *out, size_t more)
{
	if (out->failed || more > SIZE_MAX / 4 || out->used > SIZE_MAX / 4)
		goto failed;
	if (out->used + more > out->room) {
		size_t room = 2 * (out->used + more) + 256;
		char *bytes = realloc(out->bytes, room);

		if (!bytes)
			goto failed;
		out->bytes = bytes;
		out->room = room;
	}
	return out->bytes + out->used;

failed:
	out->failed = true;
	return NULL;
}

void output_value(struct output *out, char first, const void *bytes, size_t length)
{
	char *to = output_room(out, length + 2);

	if (!to)
		return;
	if (first)
		*to++ = first;
	if (length)
		memcpy(to, bytes, length);
	to[length] = '\0';
	out->used += length + (first ? 2 : 1);
}

void output_field(struct output *out, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		out->failed = true;
		return;
	}
	output_value(out, 0, text, (size_t)length);
	free(text);
}

static int complain_unwritten(void)
{
	return complain(STATUS_FAILED,
		"Cannot write the result to standard output (%s); check that its reader is still "
		"running.",
		strerror(errno));
}

int output_flush(struct output *out)
{
	size_t done = 0;

	if (out->failed)
		return complain_memory();
	while (done < out->used) {
		ssize_t n = write(STDOUT_FILENO, out->bytes + done, out->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain_unwritten();
		done += (size_t)n;
	}
	return STATUS_DONE;
}

int output_end(void)
{
	bool failed = ferror(stdout);

	if (!fflush(stdout) && !failed)
		return STATUS_DONE;
	return errno == EPIPE ? STATUS_FAILED : complain_unwritten();
}

void output_free(struct output *out)
{
	free(out->bytes);
	*out = (struct output){0};
}
