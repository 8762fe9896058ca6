/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded, it breaks the helper in one way, which the variable BROKEN names, so that tests can
 * show that the model (tests/model) finds it, or the helper itself:
 *
 * overlay  a file on overlayfs is taken for one of a file system without layers
 * stale    every device of a guest seems to have no backend directory
 * size     a loop device is attached with the size 0
 */
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

static char broken[16];

/* The helper clears its environment. */
__attribute__((constructor)) static void remember(void)
{
	const char *what = getenv("BROKEN"), *name = program_invocation_short_name;

	/* It starts itself as /proc/self/exe. */
	if (what && (!strcmp(name, "xen-hotplug") || !strcmp(name, "exe")))
		snprintf(broken, sizeof(broken), "%s", what);
}

static bool is_broken(const char *what)
{
	return !strcmp(broken, what);
}

/* Names a type of the same length, which has no layers and no server. */
static void hide_overlays(char *text, size_t length)
{
	static const char overlay[] = " - overlay ", other[] = " - fusectl ";
	char *end = text + length;

	for (char *at; (at = memmem(text, (size_t)(end - text), overlay, sizeof(overlay) - 1));
		text = at)
		memcpy(at, other, sizeof(other) - 1);
}

/* The helper reads tables with this. */
ssize_t getdelim(char **text, size_t *size, int end, FILE *file)
{
	ssize_t (*real)(char **, size_t *, int, FILE *);

	*(void **)&real = dlsym(RTLD_NEXT, "getdelim");
	ssize_t length = real(text, size, end, file);
	if (length > 0 && is_broken("overlay"))
		hide_overlays(*text, (size_t)length);
	return length;
}

/* An offset behind the end of any file leaves nothing of it. */
int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, void *);
	va_list arguments;
	struct loop_config config;

	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	*(void **)&real = dlsym(RTLD_NEXT, "ioctl");
	if (request != LOOP_CONFIGURE || !is_broken("size"))
		return real(fd, request, argument);
	memcpy(&config, argument, sizeof(config));
	config.info.lo_offset = INT64_MAX - 4095;
	return real(fd, request, &config);
}

void *xs_read(
	struct xs_handle *handle, xs_transaction_t transaction, const char *path, unsigned *length)
{
	void *(*real)(struct xs_handle *, xs_transaction_t, const char *, unsigned *);

	*(void **)&real = dlsym(RTLD_NEXT, "xs_read");
	if (is_broken("stale") && !fnmatch("*backend/vbd/*[0-9]/*[0-9]", path, 0)) {
		errno = ENOENT;
		return NULL;
	}
	return real(handle, transaction, path, length);
}
