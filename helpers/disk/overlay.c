/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files of overlayfs, and the files in its layers that have their bytes. */
#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fd.h"

/* Cuts the next path from a list with colons, and removes its backslashes, like strsep(). */
static char *next_layer(char **rest)
{
	char *layer = *rest, *from = *rest, *to = *rest;

	if (!layer)
		return NULL;
	for (; *from && *from != ':'; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return layer;
}

/* Result: false if `each` returned false. */
static bool each_in_value(
	char *value, bool (*each)(const char *layer, void *context), void *context)
{
	mount_unescape(value);
	for (char *layer; (layer = next_layer(&value));)
		/* An empty one precedes the layers that have only data. */
		if (layer[0] && !each(layer, context))
			return false;
	return true;
}

/* Calls `each` for the layers of the options with that name. */
static bool each_in_options(const char *options, const char *name,
	bool (*each)(const char *layer, void *context), void *context)
{
	char *copy = strdup(options), *rest = copy;
	bool go_on = copy;

	for (char *value, *option; go_on && (option = strsep(&rest, ","));) {
		value = strchr(option, '=');
		if (!value)
			continue;
		*value++ = '\0';
		if (!strcmp(option, name))
			go_on = each_in_value(value, each, context);
	}
	int error = errno;
	free(copy);
	errno = error;
	return go_on;
}

bool overlay_each_layer(
	const char *options, bool (*each)(const char *layer, void *context), void *context)
{
	/* A mount has its lower layers in one option, or each in an option of its own. */
	return each_in_options(options, "upperdir", each, context) &&
	       each_in_options(options, "lowerdir", each, context) &&
	       each_in_options(options, "lowerdir+", each, context);
}

/* The search for a file in the layers. */
struct lookup {
	char path[PATH_MAX]; /* relative to a layer */
	struct statx wanted;
	int found; /* a descriptor, or -1 */
};

static bool examine(int fd, struct statx *st)
{
	return !statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, st);
}

static bool time_equal(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Inode numbers say nothing here: a file that was copied up keeps the one of the lower layer. */
static bool is_wanted(const struct statx *a, const struct statx *b)
{
	return S_ISREG(a->stx_mode) && a->stx_mode == b->stx_mode && a->stx_size == b->stx_size &&
	       a->stx_uid == b->stx_uid && time_equal(&a->stx_mtime, &b->stx_mtime) &&
	       time_equal(&a->stx_ctime, &b->stx_ctime);
}

/* Whether the file has only attributes, and its data is in another layer. */
static bool is_metacopy(int fd)
{
	char link[FD_LINK_SIZE];

	fd_link(fd, link);
	return getxattr(link, "trusted.overlay.metacopy", NULL, 0) >= 0 ||
	       getxattr(link, "user.overlay.metacopy", NULL, 0) >= 0;
}

static int open_in_layer(const char *layer, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int directory = layer[0] == '/' ? open(layer, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int fd = -1;

	if (directory < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
	close(directory);
	return fd;
}

/* Looks into one layer. Result: whether the next one is to be looked into. */
static bool look_into(const char *layer, void *context)
{
	struct lookup *lookup = context;
	int fd = open_in_layer(layer, lookup->path);
	struct statx st;

	if (fd < 0)
		return true;
	/* The upper one of several files hides the others; if it is another one, none is found. */
	if (examine(fd, &st) && is_wanted(&st, &lookup->wanted) && !is_metacopy(fd))
		lookup->found = fd;
	else
		close(fd);
	return false;
}

/* The path within the file system, of which mount->root is mounted at mount->where. */
static bool path_in_layer(const struct mount *mount, const char *path, char in_layer[PATH_MAX])
{
	char inside[PATH_MAX];

	return mount_inside(mount, path, inside) &&
	       snprintf(in_layer, PATH_MAX, ".%s", inside) < PATH_MAX;
}

/* Opens the file of a layer of this overlay. Result: -1 if it is not found. */
static int open_below(const struct mount *mount, int handle)
{
	struct lookup lookup = {.found = -1};
	char path[PATH_MAX];

	if (!fd_path(handle, path, sizeof(path)))
		return -1;
	if (path_in_layer(mount, path, lookup.path) && examine(handle, &lookup.wanted))
		overlay_each_layer(mount->options, look_into, &lookup);
	return lookup.found;
}

/* The overlay that the file is on, or NULL. */
static const struct mount *overlay_of(const struct mount_table *mounts, int handle)
{
	struct statx st;

	if (statx(handle, "", AT_EMPTY_PATH, STATX_MNT_ID, &st))
		return NULL;
	const struct mount *mount = mount_with_id(mounts, (unsigned)st.stx_mnt_id);
	return mount && !strcmp(mount->type, "overlay") ? mount : NULL;
}

int overlay_open_below(const struct mount_table *mounts, int handle)
{
	const struct mount *mount;
	int found = -1;

	/* An overlay that hides its own layer leads to itself. */
	for (int depth = 0; depth < OVERLAYS && (mount = overlay_of(mounts, handle)); depth++) {
		int below = open_below(mount, handle);

		if (below < 0)
			break;
		if (found >= 0)
			close(found);
		handle = found = below;
	}
	return found;
}
