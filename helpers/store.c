/* SPDX-License-Identifier: LGPL-2.1-only */
/* The connection to xenstored. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "status.h"

/*
 * The descriptor that the next open() will return. libxenstore has no function for its socket, but
 * the socket is the first descriptor that it opens.
 */
static int next_descriptor(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd;
}

static bool is_socket(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISSOCK(st.st_mode);
}

int store_open(struct store *store)
{
	if (store->xs)
		return STATUS_DONE;

	int fd = next_descriptor();
	errno = 0;
	store->xs = xs_open(0);
	if (!store->xs)
		return complain(STATUS_FAILED,
			"Cannot connect to xenstored (%s); start it (the service xenstored or "
			"xencommons of the Xen tools), or correct XENSTORED_PATH.",
			strerror(errno));
	store->socket = is_socket(fd) ? fd : -1;
	return STATUS_DONE;
}

void store_close(struct store *store)
{
	if (store->xs)
		xs_close(store->xs);
	*store = STORE_CLOSED;
}

bool store_is_broken(int error)
{
	switch (error) {
	case EBADF: /* libxenstore closes it after a malformed reply */
	case EBADMSG:
	case ECONNABORTED:
	case ECONNREFUSED:
	case ECONNRESET:
	case EIO:
	case ENOTCONN:
	case EPIPE:
	case EPROTO:
	case ESHUTDOWN:
		return true;
	default:
		return false;
	}
}

int store_complain_broken(int error)
{
	return complain(STATUS_FAILED,
		"The connection to xenstored broke (%s); check that xenstored is running, then "
		"try again.",
		strerror(error));
}

bool store_path(char *to, const char *base, const char *key)
{
	bool alone = key[0] == '/' || !base[0];
	int length = alone ? snprintf(to, STORE_PATH_SIZE, "%s", key)
			   : snprintf(to, STORE_PATH_SIZE, "%s/%s", base, key);

	return length >= 0 && length < STORE_PATH_SIZE;
}

enum store_answer store_read(
	struct store *store, xs_transaction_t t, const char *path, char **value, size_t *length)
{
	unsigned int bytes = 0;

	errno = 0;
	*value = xs_read(store->xs, t, path, &bytes);
	if (!*value) {
		/* xenstored gives a reason with every error. */
		errno = errno ? errno : EPROTO;
		return errno == ENOENT ? STORE_NONE : STORE_ERROR;
	}
	if (memchr(*value, '\0', bytes)) {
		free(*value);
		*value = NULL;
		errno = EILSEQ;
		return STORE_ERROR;
	}
	*length = bytes;
	return STORE_VALUE;
}

const char *store_reason(int error)
{
	switch (error) {
	case EILSEQ:
		return "holds a NUL byte";
	case ENAMETOOLONG:
		return "the path is too long";
	default:
		return strerror(error);
	}
}

char *store_text(struct store *store, const char *format, ...)
{
	char path[STORE_PATH_SIZE];
	va_list arguments;
	char *value;
	size_t length;

	va_start(arguments, format);
	int needed = vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	if (needed < 0 || (size_t)needed >= sizeof(path))
		return NULL;
	if (store_read(store, XBT_NULL, path, &value, &length) != STORE_VALUE)
		return NULL;
	if (length)
		return value;
	free(value);
	return NULL;
}
