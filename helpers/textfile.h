/* SPDX-License-Identifier: LGPL-2.1-only */
/* Small text files of /proc and /sys. */
#ifndef TEXTFILE_H
#define TEXTFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads the file `path`, relative to the directory `dir` (or AT_FDCWD), into `text`: at most size -
 * 1 bytes, and a NUL behind them. Result: the bytes read, or -1 with errno.
 */
ssize_t textfile_read(int dir, const char *path, char *text, size_t size);

/* Reads a text file whole. Result: the text, to be freed, or NULL with errno. */
char *textfile_whole(const char *path);

/*
 * Reads a table of /proc whole. The kernel goes on with it by the count of entries, so that one
 * that goes between two reads hides another: it is read until two readings are equal.
 * Result: the text, to be freed, or NULL with errno.
 */
char *textfile_table(const char *path);

/*
 * Splits a line, which is changed, at its blanks, tabs and newline into at most `most` words.
 * Result: their number.
 */
size_t textfile_split(char *line, char *words[], size_t most);

/* As textfile_read(), of a file whose one line is a decimal number. Result: whether it is. */
bool textfile_number(int dir, const char *path, uint64_t *number);

/* As textfile_read(), of a file whose one line is a device number "MAJOR:MINOR" in decimal. */
bool textfile_device(int dir, const char *path, dev_t *device);

#endif
