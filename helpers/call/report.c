/* SPDX-License-Identifier: LGPL-2.1-only */
/* Why a call failed, and what it had done by then. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct report *report, char *line)
{
	char **place = &report->lines[report->count++ % REPORT_LINES];

	free(*place);
	*place = line;
}

void report_line(struct report *report, const char *format, ...)
{
	char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	int length = vasprintf(&line, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	/* What a worker has said ends with a newline. */
	if (length && line[length - 1] == '\n')
		line[length - 1] = '\0';
	add(report, line);
}

void report_failure(struct report *report, const char *format, ...)
{
	char *sentence = NULL;
	va_list arguments;

	va_start(arguments, format);
	int length = vasprintf(&sentence, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	if (report->sentence[0]) {
		add(report, sentence);
		return;
	}
	escape(report->sentence, SENTENCE_LIMIT, sentence, (size_t)length, ESCAPE_TEXT);
	free(sentence);
}

/* Whether a shell takes the word as it stands. */
static bool is_plain(const char *word)
{
	return *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789_@%+=:,./-")];
}

static void print_word(FILE *to, const char *word)
{
	if (is_plain(word)) {
		fputs(word, to);
		return;
	}
	fputc('\'', to);
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[2]){*word}, to);
	fputc('\'', to);
}

const char *report_command(struct report *report, int argc, char *argv[])
{
	const char *input = NULL;
	char *line = NULL;
	size_t length;
	FILE *to = open_memstream(&line, &length);
	int at = 2;

	if (!to)
		return NULL;
	for (; at < argc && strncmp(argv[at], "--", 2) == 0 && argv[at][2];
		at += strchr(argv[at], '=') ? 1 : 2)
		if (!strcmp(argv[at], "--input"))
			input = argv[at + 1];
	fputc('+', to);
	for (at += at < argc && !strcmp(argv[at], "--"); at < argc; at++) {
		fputc(' ', to);
		print_word(to, argv[at]);
	}
	if (input && *input) {
		fputs(" <<< ", to);
		print_word(to, input);
	}
	if (fclose(to)) {
		free(line);
		return NULL;
	}
	add(report, line);
	return line;
}

const char *report_at(const struct report *report, size_t index)
{
	size_t kept = report->count < REPORT_LINES ? report->count : REPORT_LINES;

	if (index >= kept)
		return NULL;
	return report->lines[(report->count - kept + index) % REPORT_LINES];
}

void report_free(struct report *report)
{
	for (size_t i = 0; i < REPORT_LINES; i++)
		free(report->lines[i]);
	*report = (struct report){.count = 0};
}
