/* SPDX-License-Identifier: LGPL-2.1-only */
/* Mounts in the mount namespaces of other processes. */
#include "namespaces.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "deadline.h"
#include "number.h"
#include "textfile.h"

#define SEARCH_MS 500
/* More than these are read again for each of their processes. */
#define MOST_NAMESPACES 256

struct search {
	bool (*matches)(const struct mount *mount, const void *context);
	const void *context;
	struct foreign_mount *found;
	ino_t seen[MOST_NAMESPACES]; /* this process's own is the first */
	size_t seen_count;
};

/* Whether the namespace of a process, in /proc/NAME, has not been read yet; notes that it is. */
static bool is_new(struct search *search, const char *name)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", name);
	if (stat(path, &st))
		return false;
	for (size_t i = 0; i < search->seen_count; i++)
		if (search->seen[i] == st.st_ino)
			return false;
	if (search->seen_count < MOST_NAMESPACES)
		search->seen[search->seen_count++] = st.st_ino;
	return true;
}

static void set_found(struct search *search, pid_t process, const struct mount *mount)
{
	struct foreign_mount *found = search->found;
	char path[64];

	found->process = process;
	snprintf(found->where, sizeof(found->where), "%s", mount->where);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)process);
	if (textfile_read(AT_FDCWD, path, found->command, sizeof(found->command)) < 0)
		found->command[0] = '\0';
	found->command[strcspn(found->command, "\n")] = '\0';
}

static bool find_in_process(struct search *search, const char *name, pid_t process)
{
	char path[300];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%s/mountinfo", name);
	char *table = textfile_whole(path);
	for (char *line, *rest = table; !found && (line = strsep(&rest, "\n"));) {
		struct mount mount;

		found = mount_parse(line, &mount) && search->matches(&mount, search->context);
		if (found)
			set_found(search, process, &mount);
	}
	free(table);
	return found;
}

bool foreign_mount_find(bool (*matches)(const struct mount *mount, const void *context),
	const void *context, struct foreign_mount *found)
{
	struct search search = {.matches = matches, .context = context, .found = found};
	long long end = now_ms() + SEARCH_MS;
	DIR *processes = opendir("/proc");
	bool done = false;

	is_new(&search, "self");
	for (struct dirent *entry; processes && !done && (entry = readdir(processes));) {
		unsigned process;

		if (parse_unsigned(entry->d_name, INT_MAX, &process) &&
			is_new(&search, entry->d_name))
			done = find_in_process(&search, entry->d_name, (pid_t)process);
		if (now_ms() >= end)
			break;
	}
	if (processes)
		closedir(processes);
	return done;
}
