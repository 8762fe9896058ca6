/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded, it breaks the helper in one way, which the variable BROKEN names, so that tests can
 * show that the model (tests/model) finds it, or the helper itself:
 *
 * overlay  a file on overlayfs is taken for one of a file system without layers
 * stale    every device of a guest seems to have no backend directory
 * size     a loop device is attached with the size 0
 * nested   a file system on a loop device seems to be on no device
 * served   no process seems to have a file open
 */
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
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

/* As of a file system that has no device number of its own. */
static void hide_device(dev_t *device)
{
	if (is_broken("nested") && major(*device) == LOOP_MAJOR)
		*device = makedev(0, 4096 + minor(*device));
}

int fstat(int fd, struct stat *st)
{
	int (*real)(int, struct stat *);

	*(void **)&real = dlsym(RTLD_NEXT, "fstat");
	int result = real(fd, st);
	if (!result && S_ISREG(st->st_mode))
		hide_device(&st->st_dev);
	return result;
}

/* The helper reads what a process has open with this, and with numbers for names. */
ssize_t readlinkat(int directory, const char *path, char *target, size_t size)
{
	ssize_t (*real)(int, const char *, char *, size_t);

	*(void **)&real = dlsym(RTLD_NEXT, "readlinkat");
	if (is_broken("served") && path[0] >= '0' && path[0] <= '9') {
		errno = ENOENT;
		return -1;
	}
	return real(directory, path, target, size);
}

static void hide_file_system(struct loop_info64 *info)
{
	dev_t device = info->lo_device;

	if (!info->lo_rdevice)
		hide_device(&device);
	info->lo_device = device;
}

/* An offset behind the end of any file leaves nothing of it. */
static void take_size(struct loop_config *config)
{
	if (is_broken("size"))
		config->info.lo_offset = INT64_MAX - 4095;
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, void *);
	struct loop_config config;
	va_list arguments;

	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == LOOP_CONFIGURE) {
		memcpy(&config, argument, sizeof(config));
		take_size(&config);
		argument = &config;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "ioctl");
	int result = real(fd, request, argument);
	if (!result && request == LOOP_GET_STATUS64)
		hide_file_system(argument);
	return result;
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
