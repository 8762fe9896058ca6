/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the helper takes a file system for, by a table of mounts that a test writes, since this
 * machine cannot mount most of them:
 *
 *   filesystems TABLE kind PATH             TYPE, and "remote", "opaque", or both
 *   filesystems TABLE alike PATH SIZE PATH SIZE   "alike", or "apart"
 *
 * TABLE is like /proc/self/mountinfo.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/filesystem.h"
#include "disk/opaque.h"

static const struct mount *find(const struct mount_table *mounts, const char *path)
{
	const struct mount *mount = mount_of_path(mounts, path);

	if (mount)
		return mount;
	fprintf(stderr, "no mount of %s\n", path);
	exit(2);
}

static int kind(const struct mount_table *mounts, const char *path)
{
	const struct mount *mount = find(mounts, path);

	printf("%s%s%s\n", mount->type, filesystem_is_remote(mounts, mount) ? " remote" : "",
		opaque_type(mounts, mount->device, path) ? " opaque" : "");
	return 0;
}

static struct named_file named(const struct mount_table *mounts, char *words[])
{
	return (struct named_file){
		find(mounts, words[0])->device, words[0], strtoull(words[1], NULL, 10)};
}

static int alike(const struct mount_table *mounts, char *words[])
{
	const struct named_file one = named(mounts, words), other = named(mounts, words + 2);

	puts(opaque_files_alike(mounts, &one, &other) ? "alike" : "apart");
	return 0;
}

int main(int argc, char *argv[])
{
	struct mount_table mounts = {.text = NULL};
	int status = 2;

	if (argc < 4 || !mount_table_read_from(&mounts, argv[1]))
		return 2;
	if (argc == 4 && !strcmp(argv[2], "kind"))
		status = kind(&mounts, argv[3]);
	else if (argc == 7 && !strcmp(argv[2], "alike"))
		status = alike(&mounts, argv + 3);
	mount_table_free(&mounts);
	return status;
}
