/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files on file systems that do not tell where their bytes are: NFS, FUSE, 9p … */
#include "opaque.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "blockdev.h"
#include "filesystem.h"
#include "number.h"

const char *opaque_type(const struct mount_table *mounts, dev_t dev, const char *path)
{
	if (major(dev))
		return NULL;
	const struct mount *mount = mount_of_path(mounts, path);
	/* The path is that of a mount which is detached or in another namespace. */
	if (!mount || major(mount->device))
		return "unknown";
	return filesystem_is_opaque(mount) ? mount->type : NULL;
}

/*
 * The directory that is mounted from a server, by its source: HOST:/DIRECTORY of NFS, //HOST/SHARE
 * of CIFS, /DIRECTORY of some FUSE file systems. "" if the source does not name one.
 */
static const char *directory_of(const struct mount *mount)
{
	const char *colon = strstr(mount->source, ":/");

	if (!filesystem_is_opaque(mount))
		return "";
	if (mount->source[0] == '/')
		return mount->source;
	return colon && colon[2] ? colon + 1 : "";
}

/* The path of a file within its file system, or its server. Result: false if it is unknown. */
static bool path_inside(const struct mount_table *mounts, const char *path, char inside[PATH_MAX])
{
	const struct mount *mount = mount_of_path(mounts, path);

	if (!mount)
		return false;
	char below[PATH_MAX];
	if (!mount_inside(mount, path, below))
		return false;
	int length = snprintf(inside, PATH_MAX, "%s%s", directory_of(mount), below);
	/* In the root of a local file system, a name alone says too little. */
	if (length < PATH_MAX && !filesystem_is_opaque(mount) && strrchr(inside, '/') == inside)
		length = snprintf(inside, PATH_MAX, "%s", path);
	return length < PATH_MAX;
}

bool opaque_paths_match(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);
	const char *shorter = a_length < b_length ? a : b;
	const char *longer = a_length < b_length ? b : a;

	longer += strlen(longer) - strlen(shorter);
	return shorter[0] == '/' && !strcmp(shorter, longer);
}

/* eCryptfs shows a file without the header that it has below. */
static bool has_own_sizes(const struct mount_table *mounts, const char *path)
{
	const struct mount *mount = mount_of_path(mounts, path);

	return mount && !strcmp(mount->type, "ecryptfs");
}

static bool sizes_match(
	const struct mount_table *mounts, const struct named_file *a, const struct named_file *b)
{
	return !a->size || !b->size || a->size / SECTOR == b->size / SECTOR ||
	       has_own_sizes(mounts, a->path) || has_own_sizes(mounts, b->path);
}

static bool may_be_one(
	const struct mount_table *mounts, const struct named_file *a, const struct named_file *b)
{
	char a_inside[PATH_MAX], b_inside[PATH_MAX];

	return sizes_match(mounts, a, b) && path_inside(mounts, a->path, a_inside) &&
	       path_inside(mounts, b->path, b_inside) && opaque_paths_match(a_inside, b_inside);
}

bool opaque_files_alike(
	const struct mount_table *mounts, const struct named_file *a, const struct named_file *b)
{
	return a->dev != b->dev &&
	       (opaque_type(mounts, a->dev, a->path) || opaque_type(mounts, b->dev, b->path)) &&
	       may_be_one(mounts, a, b);
}

bool opaque_is_mounted(const struct mount_table *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (filesystem_is_opaque(&mounts->mounts[i]))
			return true;
	return false;
}

bool opaque_alike(struct mount_table *mounts, const struct loop *loop, dev_t dev, const char *path,
	uint64_t size)
{
	char file_path[LOOP_FILE_SIZE];
	struct file file = {(dev_t)loop->info.lo_device, (ino_t)loop->info.lo_inode, file_path};
	bool own_opaque = opaque_type(mounts, dev, path);

	/* Another file of the same file system is another file. */
	if (loop->info.lo_rdevice || (!loop->silent && file.dev == dev) ||
		(!own_opaque && major(file.dev)) || !loop_file(loop->number, file_path))
		return false;
	if (!loop->silent)
		loop_bottom_file(loop->number, &loop->info, mounts, file_path, &file);
	if (major(file.dev) && !file_path[0])
		loop_file(loop->number, file_path);
	loop_file_undelete(file_path);
	if (!own_opaque && !loop->silent && !opaque_type(mounts, file.dev, file_path))
		return false;
	return may_be_one(mounts, &(struct named_file){dev, path, size},
		&(struct named_file){file.dev, file_path, loop_file_size(loop->number)});
}
