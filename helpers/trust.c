/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whether root may run a script whose path comes from a file. */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether somebody can change the file who cannot change `own`. */
static bool is_changeable(const struct stat *st, const struct stat *own)
{
	bool group = (st->st_mode & S_IWGRP) && st->st_gid &&
		     !(own->st_mode & S_IWGRP && st->st_gid == own->st_gid);
	bool others = st->st_mode & ~own->st_mode & S_IWOTH;

	/* In such a directory, only its owner can replace a file of root's. */
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX))
		group = others = false;
	return (st->st_uid && st->st_uid != own->st_uid) || group || others;
}

/* Opens the next name of the path in *directory, which it takes the place of. */
static enum trust enter(int *directory, const char *name, struct stat *st)
{
	int next = openat(*directory, name, O_PATH | O_CLOEXEC);

	if (next < 0)
		return errno == ENOENT || errno == ENOTDIR ? TRUST_ABSENT : TRUST_OTHERS;
	close(*directory);
	*directory = next;
	return fstat(next, st) ? TRUST_OTHERS : TRUST_GIVEN;
}

/* Goes on from the descriptor *at along the names of `path`, which is changed. */
static enum trust walk(int *at, char *path, const struct stat *own)
{
	enum trust trust = TRUST_GIVEN;
	struct stat st = {.st_mode = S_IFDIR};

	for (char *name; trust == TRUST_GIVEN && (name = strsep(&path, "/"));) {
		if (!*name)
			continue;
		if (!strcmp(name, ".."))
			return TRUST_PATH;
		trust = enter(at, name, &st);
		if (trust == TRUST_GIVEN && is_changeable(&st, own))
			trust = TRUST_OTHERS;
	}
	if (trust == TRUST_GIVEN && !S_ISREG(st.st_mode))
		trust = TRUST_KIND;
	return trust;
}

enum trust trust_examine(const char *path, const char *own)
{
	char names[PATH_MAX];
	struct stat own_st;

	if (path[0] != '/' || snprintf(names, sizeof(names), "%s", path) >= PATH_MAX)
		return TRUST_PATH;
	if (stat(own, &own_st))
		return TRUST_OTHERS;
	int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return TRUST_OTHERS;
	enum trust trust = walk(&at, names, &own_st);
	close(at);
	return trust;
}
