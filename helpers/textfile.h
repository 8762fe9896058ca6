/* SPDX-License-Identifier: LGPL-2.1-only */
/* Small text files of /proc and /sys. */
#ifndef TEXTFILE_H
#define TEXTFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads the file `path`, relative to the directory `dir` (or AT_FDCWD), into `text`: at most size -
 * 1 bytes, followed by a NUL. Result: the number of bytes read, or -1 with errno.
 */
ssize_t textfile_read(int dir, const char *path, char *text, size_t size);

/* Reads a whole text file. Result: the text, which the caller frees, or NULL with errno. */
char *textfile_whole(const char *path);

/*
 * Reads a whole table of /proc until two readings are equal. The kernel continues a table by the
 * number of its entries, so an entry that is removed between two read() calls hides another one.
 * Result: the text, which the caller frees, or NULL with errno.
 */
char *textfile_table(const char *path);

/*
 * Splits a line, which is changed, at its blanks, tabs and newline into at most `most` words.
 * Result: their number.
 */
size_t textfile_split(char *line, char *words[], size_t most);

/* Reads a file that is one decimal number. Result: whether it is one. */
bool textfile_number(int dir, const char *path, uint64_t *number);

/* Reads a file that is one device number, "MAJOR:MINOR" in decimal. Result: whether it is one. */
bool textfile_device(int dir, const char *path, dev_t *device);

#endif
