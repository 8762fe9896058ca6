/* SPDX-License-Identifier: LGPL-2.1-only */
/* Resolves a path without asking a server. */
#include "resolve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "filesystem.h"

/* As the kernel has it (MAXSYMLINKS). */
#define MOST_LINKS 40

/* A path on the way to the end of its symbolic links. */
struct walk {
	const struct mount_table *table;
	char *real;	     /* without links, and without a slash at its end */
	char rest[PATH_MAX]; /* what is to be resolved below `real`; begins with a slash, or is ""
			      */
	unsigned links;
};

static bool is_local(const struct walk *walk)
{
	return !filesystem_is_remote_path(walk->table, walk->real[0] ? walk->real : "/", NULL);
}

/* Puts `front` before the rest of the path. Result: false with errno if that is too long. */
static bool prepend(struct walk *walk, const char *front)
{
	char whole[2 * PATH_MAX];
	int length = snprintf(
		whole, sizeof(whole), "%s%s%s", front[0] == '/' ? "" : "/", front, walk->rest);

	errno = ENAMETOOLONG;
	if (length < 0 || length >= PATH_MAX)
		return false;
	memcpy(walk->rest, whole, (size_t)length + 1);
	return true;
}

/* Takes the next name of the rest. Result: false with errno if that is too long. */
static bool take_name(struct walk *walk, char name[PATH_MAX])
{
	char left[PATH_MAX];
	const char *from = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(from, "/");

	memcpy(name, from, length);
	name[length] = '\0';
	snprintf(left, sizeof(left), "%s", from + length);
	memcpy(walk->rest, left, sizeof(left));
	errno = ENAMETOOLONG;
	return strlen(walk->real) + length + 2 <= PATH_MAX;
}

static void go_up(struct walk *walk)
{
	char *slash = strrchr(walk->real, '/');

	if (slash)
		*slash = '\0';
}

/* Goes one name down. Result: false with errno if that does not exist. */
static bool go_down(struct walk *walk, const char *name)
{
	size_t length = strlen(walk->real);
	char target[PATH_MAX];

	snprintf(walk->real + length, PATH_MAX - length, "/%s", name);
	if (!is_local(walk))
		return true;
	ssize_t n = readlink(walk->real, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EINVAL; /* it is no link */
	target[n] = '\0';
	walk->real[target[0] == '/' ? 0 : length] = '\0';
	errno = ELOOP;
	return ++walk->links <= MOST_LINKS && prepend(walk, target);
}

/* Goes on by one name. Result: false with errno. */
static bool step(struct walk *walk)
{
	char name[PATH_MAX];

	if (!take_name(walk, name))
		return false;
	if (!name[0] || !strcmp(name, "."))
		return true;
	if (strcmp(name, "..") != 0)
		return go_down(walk, name);
	go_up(walk);
	return true;
}

bool path_resolve(const struct mount_table *table, const char *path, char real[PATH_MAX])
{
	struct walk walk = {.table = table, .real = real};
	bool local, done = true;

	real[0] = '\0';
	if (!prepend(&walk, path))
		return false;
	while ((local = is_local(&walk)) && walk.rest[0] && done)
		done = step(&walk);
	snprintf(real + strlen(real), PATH_MAX - strlen(real), "%s", walk.rest);
	return local && done;
}
