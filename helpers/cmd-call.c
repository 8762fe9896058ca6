/* SPDX-License-Identifier: LGPL-2.1-only */
/* xen-hotplug call: one call of a device script, from its start to its report. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call/arguments.h"
#include "call/inherited.h"
#include "call/keep.h"
#include "call/report.h"
#include "call/request.h"
#include "call/script.h"
#include "call/worker.h"
#include "command.h"
#include "deadline.h"
#include "journal.h"
#include "lock.h"
#include "message.h"
#include "stale.h"
#include "status.h"
#include "store.h"
#include "xenlock.h"

#define RUN_DIRECTORY "/run/xen-hotplug"
#define LOCK_FILE "lock"
#define XEN_LOCK RUN_DIRECTORY "/block"

/* Milliseconds since the start. libxl kills a script after 40 s (LIBXL_HOTPLUG_TIMEOUT). */
#define ATTACH_MS 24000 /* an attach is decided */
#define UNDO_MS 34000	/* what it did is undone; a detach is done */
#define REPORT_MS 37000 /* the failure is reported */
/* Of the time that --stale gives: the last of it is for ending what runs and for the report. */
#define STALE_ENDING_MS 4000
#define STALE_REPORTED_MS 1000
/* So much earlier a worker gives up by itself, so that the script can say what it waited for. */
#define EARLIER_MS 500
/* How long the caller may take to read what was written to standard error. */
#define READER_MS 100
/* How long a worker that is told to end may take to end its command. */
#define STOP_MS 1500

/* A request of the script that takes so long is noted for the log. */
#define NOTED_MS 100

/* How often what a script has left is read: as much as a pipe (64 KiB) or a socket holds. */
#define REST_READS 64

/* How far the script is, as it says itself; and what its end means then. */
enum phase {
	PHASE_NONE,    /* it has not called `hotplug` */
	PHASE_ASK,     /* nothing is changed yet */
	PHASE_ATTACH,  /* an end means that what the journal names is to be undone */
	PHASE_PUBLISH, /* the same; the nodes may be written */
	PHASE_DETACH,  /* what is not released yet stays in the journal */
	PHASE_FORGET,  /* the same; all is released, and the journal goes */
	PHASE_DONE,    /* all is well, however the script ends */
	PHASE_ANSWER,  /* its exit status is the call's */
};

/* What happened first. */
enum event {
	EVENT_SOCKET, /* the script's socket can be read, or written */
	EVENT_WORKER, /* the worker has ended */
	EVENT_SCRIPT, /* the script has ended */
	EVENT_SIGNAL, /* this program is to end */
	EVENT_LATE,   /* the time is up */
};

struct call {
	const char *program; /* of this program, as it was started */
	char **argv;	     /* the script and its arguments, ended by NULL */
	const char *name;    /* of the script */
	struct arguments arguments;
	const char *base; /* the device's nodes, or empty where none is known, or none is told */
	const char *how;  /* bash learns it as hotplug_undo: "", or "stale" */
	long long start, end;
	int undo_ms, report_ms; /* UNDO_MS and REPORT_MS, or less */
	int xen_lock;		/* which a claim has taken, until its device is published; or -1 */
	int signals;		/* signalfd */
	int signal;		/* that came, or 0 */
	bool undoing;
	bool unread; /* the caller does not read standard error */
	int status;  /* for exit(), where nothing failed */
	enum phase phase;
	struct script script;
	struct worker worker;
	struct inbox inbox;
	struct report report;
	char doing[QUOTE_LIMIT * 2]; /* what the worker is at, or empty */
	char last_words[1024];	     /* the last line that bash wrote to standard error */
	size_t last_length;
};

/* Writes it to standard error, unless the caller does not read that: no call may wait for it. */
static void show(struct call *call, const char *text, size_t length)
{
	struct pollfd event = {.fd = STDERR_FILENO, .events = POLLOUT};

	/* A pipe that can be written takes 4 KiB (PIPE_BUF) at once. */
	call->unread = poll(&event, 1, call->unread ? 0 : READER_MS) <= 0;
	if (call->unread)
		return;
	ssize_t written = write(STDERR_FILENO, text, length);
	(void)written; /* there is nobody left to tell */
}

/* Remembers the last whole line that bash has written, and shows it. */
static void relay(struct call *call)
{
	char chunk[PIPE_BUF];
	ssize_t n = read(call->script.errors, chunk, sizeof(chunk));

	if (n <= 0) {
		if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			close(call->script.errors);
			call->script.errors = -1;
		}
		return;
	}
	show(call, chunk, (size_t)n);
	for (ssize_t i = 0; i < n; i++) {
		if (call->last_length && call->last_words[call->last_length - 1] == '\n')
			call->last_length = 0;
		if (call->last_length < sizeof(call->last_words) - 1)
			call->last_words[call->last_length++] = chunk[i];
	}
}

/* Whether a signal may end it now: a detach and an undoing go on, and publishing is short. */
static bool is_interruptible(const struct call *call)
{
	return !call->undoing && call->phase <= PHASE_ATTACH;
}

static void take_signals(struct call *call)
{
	struct signalfd_siginfo info;

	while (read(call->signals, &info, sizeof(info)) == sizeof(info))
		if (!call->signal)
			call->signal = (int)info.ssi_signo;
}

/*
 * Waits for the first event. `socket_events` is what the socket is polled for, 0: not at all.
 */
static enum event wait_for(struct call *call, short socket_events)
{
	for (;;) {
		struct pollfd events[] = {
			{.fd = call->worker.pid ? call->worker.pidfd : -1, .events = POLLIN},
			{.fd = socket_events ? call->script.socket : -1, .events = socket_events},
			{.fd = call->script.pidfd, .events = POLLIN},
			{.fd = call->signals, .events = POLLIN},
			{.fd = call->script.errors, .events = POLLIN},
		};
		long long left = call->end - now_ms();

		if (left <= 0)
			return EVENT_LATE;
		if (poll(events, sizeof(events) / sizeof(events[0]), (int)left) < 0)
			continue;
		if (events[4].revents)
			relay(call);
		if (events[3].revents)
			take_signals(call);
		if (call->signal && is_interruptible(call))
			return EVENT_SIGNAL;
		if (events[0].revents)
			return EVENT_WORKER;
		if (events[1].revents)
			return EVENT_SOCKET;
		if (events[2].revents)
			return EVENT_SCRIPT;
	}
}

/* Result: EVENT_SOCKET when all is sent. */
static enum event send_all(struct call *call, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(call->script.socket, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		/* A script that hangs up is about to end. */
		enum event event = wait_for(call, errno == EAGAIN ? POLLOUT : 0);
		if (event != EVENT_SOCKET)
			return event;
	}
	return EVENT_SOCKET;
}

/* The answer: STATUS, COUNT, and as many fields, each ended by NUL. */
static enum event send_answer(struct call *call, int status, const char *text, size_t length)
{
	char head[32];
	size_t count = 0;

	/* The text has a NUL behind it, which ends the last field where nothing else does. */
	if (length && text[length - 1])
		length++;
	for (size_t i = 0; i < length; i++)
		count += !text[i];
	int head_length = snprintf(head, sizeof(head), "%d%c%zu", status, '\0', count);
	enum event event = send_all(call, head, (size_t)head_length + 1);
	if (event == EVENT_SOCKET && length)
		event = send_all(call, text, length);
	return event;
}

static enum event send_sentence(struct call *call, int status, const char *sentence)
{
	report_line(&call->report, "status %d: %s", status, sentence);
	return send_answer(call, status, sentence, strlen(sentence));
}

/* What it is at, for a sentence: the command of a request, or the word for it. */
static void note_doing(struct call *call, const struct request *request)
{
	static const struct {
		const char *word, *doing;
	} known[] = {
		{"accept", "for the lock of the device, or for the store"},
		{"load", "for the store"},
		{"lock", "for a lock"},
		{"claim", "for the disk, or for those that others use"},
		{"release", "for the disk"},
		{"publish", "for the store"},
	};

	snprintf(call->doing, sizeof(call->doing), "for xen-hotplug %s", request->argv[1]);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(request->argv[1], known[i].word))
			snprintf(call->doing, sizeof(call->doing), "%s", known[i].doing);
	if (strcmp(request->argv[1], command_run.name) != 0)
		return;
	const char *line = report_command(&call->report, request->argc, request->argv);
	snprintf(call->doing, sizeof(call->doing), "for %s", QUOTED(line ? line + 2 : "a command"));
}

static void drop_xen_lock(struct call *call)
{
	if (call->xen_lock >= 0)
		xenlock_drop(XEN_LOCK, call->xen_lock);
	call->xen_lock = -1;
}

/* What a worker has left to keep: Xen's lock. A second claim's is the same. */
static void take_kept(struct call *call)
{
	for (int fd; (fd = keep_receive()) >= 0;) {
		if (call->xen_lock >= 0)
			close(fd);
		else
			call->xen_lock = fd;
	}
}

/* A request that changes what its end means. */
static void note_served(struct call *call, const char *word, int status)
{
	if (status)
		return;
	if (call->phase == PHASE_PUBLISH && !strcmp(word, command_publish.name))
		call->phase = PHASE_DONE;
	if (call->phase == PHASE_FORGET && !strcmp(word, command_forget.name))
		call->phase = PHASE_DONE;
}

/* For the log: how long a command took, or a request that made the call wait. */
static void note_time(struct call *call, const char *word, long long ms)
{
	if (!strcmp(word, command_run.name))
		report_line(&call->report, "took %lld ms", ms);
	else if (ms >= NOTED_MS)
		report_line(&call->report, "took %lld ms: xen-hotplug %s", ms, word);
}

/* Serves a request by a worker. Result: EVENT_SOCKET when it is answered. */
static enum event serve_by_worker(struct call *call, const struct request *request)
{
	struct worker_end end;
	enum event event;

	note_doing(call, request);
	if (call->phase == PHASE_ATTACH && !strcmp(request->argv[1], command_publish.name))
		call->phase = PHASE_PUBLISH;
	request->argv[0] = (char *)call->program;
	if (!worker_start(&call->worker, request->argc, request->argv, call->end - EARLIER_MS))
		return send_sentence(call, STATUS_FAILED,
			"A process could not be started; see whether the system is out of "
			"processes or memory, then try again.");
	long long began = now_ms();
	event = wait_for(call, 0);
	if (event != EVENT_WORKER)
		return event;
	note_time(call, request->argv[1], now_ms() - began);
	worker_collect(&call->worker, &end);
	call->doing[0] = '\0';
	take_kept(call);
	note_served(call, request->argv[1], end.status);
	if (call->phase == PHASE_DONE)
		drop_xen_lock(call);
	if (end.status)
		report_line(&call->report, "status %d: %s", end.status,
			end.text && *end.text ? end.text : "it ended without a word");
	event = send_answer(call, end.status, end.text ? end.text : "", end.length);
	worker_end_free(&end);
	return event;
}

static void take_phase(struct call *call, const char *word)
{
	const struct {
		const char *word;
		enum phase phase;
		int ms;
	} phases[] = {
		{"ask", PHASE_ASK, 0},
		{"attach", PHASE_ATTACH, 0},
		{"detach", PHASE_DETACH, call->undo_ms},
		{"forget", PHASE_FORGET, 0},
		{"answer", PHASE_ANSWER, 0},
	};

	/* The script is not for this device, whose nodes stay as they are. */
	if (!strcmp(word, "foreign"))
		call->base = "";
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		if (strcmp(word, phases[i].word) != 0)
			continue;
		call->phase = phases[i].phase;
		if (phases[i].ms)
			call->end = call->start + phases[i].ms;
	}
}

/* What the script only tells, without an answer. Result: whether it is that. */
static bool take_message(struct call *call, const struct request *request)
{
	char **words = request->argv + 1;

	if (!strcmp(words[0], "phase") && request->argc == 3) {
		take_phase(call, words[1]);
	} else if (!strcmp(words[0], "failed") && request->argc == 4) {
		if (!call->report.sentence[0])
			call->report.busy = !strcmp(words[1], "busy");
		report_failure(&call->report, "%s", words[2]);
	} else {
		return false;
	}
	return true;
}

/* Result: EVENT_SOCKET when all requests that have arrived are served. */
static enum event serve_arrived(struct call *call)
{
	struct request request;

	for (;;) {
		enum event event = EVENT_SOCKET;

		switch (inbox_next(&call->inbox, &request)) {
		case INBOX_INCOMPLETE:
			return EVENT_SOCKET;
		case INBOX_NONSENSE:
			report_failure(&call->report,
				"%s has sent what is no request; it must not use descriptor %d.",
				call->name, SCRIPT_SOCKET);
			return EVENT_SCRIPT;
		case INBOX_TOO_LARGE:
			event = send_sentence(call, STATUS_USAGE,
				"A command or its input has more than 4 MiB, which is not taken; "
				"give it a file.");
			break;
		case INBOX_REQUEST:
			if (!take_message(call, &request))
				event = serve_by_worker(call, &request);
			break;
		}
		if (event != EVENT_SOCKET)
			return event;
	}
}

/* Until the script has ended, or has to. */
static enum event serve(struct call *call)
{
	short socket_events = POLLIN;

	for (;;) {
		enum event event = wait_for(call, socket_events);

		if (event != EVENT_SOCKET)
			return event;
		ssize_t n = inbox_receive(&call->inbox);
		if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
			socket_events = 0;
		event = serve_arrived(call);
		if (event != EVENT_SOCKET)
			return event;
	}
}

/* After the script's end: what it has told and nobody has read yet. */
static void take_rest(struct call *call)
{
	struct request request;

	/* Something that it has started may go on to write, for ever. */
	for (int i = 0; i < REST_READS && call->script.socket >= 0; i++)
		if (inbox_receive(&call->inbox) <= 0)
			break;
	while (inbox_next(&call->inbox, &request) == INBOX_REQUEST)
		take_message(call, &request);
	for (int i = 0; i < REST_READS && call->script.errors >= 0; i++) {
		struct pollfd event = {.fd = call->script.errors, .events = POLLIN};

		if (poll(&event, 1, 0) <= 0)
			break;
		relay(call);
	}
}

/*
 * Reports a variable that is not set. bash says "FILE: line N: NAME: unbound variable" and
 * ends without the ERR trap. Result: false if bash did not say that.
 */
static bool explain_unset(struct call *call)
{
	static const char at_line[] = ": line ", colon[] = ": ", unbound[] = ": unbound variable";
	char *line = strstr(call->last_words, at_line);
	char *name = line ? strstr(line + strlen(at_line), colon) : NULL;
	char *end = name ? strstr(name + strlen(colon), unbound) : NULL;

	if (!end || end[strlen(unbound)])
		return false;
	*line = *name = *end = '\0';
	line += strlen(at_line);
	name += strlen(colon);
	if (*name == '$')
		report_failure(&call->report,
			"%s, line %s: the argument %s is missing; add it where the function or "
			"resource is called.",
			call->last_words, line, name);
	else
		report_failure(&call->report,
			"%s, line %s: the variable %s is not set; correct its name, or declare it "
			"as a parameter.",
			call->last_words, line, name);
	return true;
}

/* Says in one sentence what bash has said of an end that it did not tell of otherwise. */
static void explain_status(struct call *call, int status)
{
	size_t length = call->last_length;

	while (length && strchr("\n.", call->last_words[length - 1]))
		length--;
	call->last_words[length] = '\0';
	if (WIFEXITED(status) && explain_unset(call))
		return;
	if (WIFSIGNALED(status))
		report_failure(&call->report,
			"%s was killed by signal %d (%s) before it was done; try again.",
			call->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (length && WEXITSTATUS(status))
		report_failure(&call->report,
			"%s stopped with status %d: %s; this is a defect of the script, correct "
			"it there.",
			call->name, WEXITSTATUS(status), call->last_words);
	else
		report_failure(&call->report,
			"%s stopped with status %d before it was done; this is a defect of the "
			"script: it must not exit, but call fail.",
			call->name, WEXITSTATUS(status));
}

static const char *signal_name(int number)
{
	switch (number) {
	case SIGINT:
		return "SIGINT";
	case SIGHUP:
		return "SIGHUP";
	case SIGQUIT:
		return "SIGQUIT";
	default:
		return "SIGTERM";
	}
}

/* Sets the failure, where there is one, from how the script has ended. */
static void judge(struct call *call, enum event event, int status)
{
	bool well = WIFEXITED(status) && !WEXITSTATUS(status);

	if (call->phase == PHASE_DONE)
		return;
	if (call->phase == PHASE_ANSWER && event == EVENT_SCRIPT && WIFEXITED(status)) {
		call->status = WEXITSTATUS(status);
		return;
	}
	switch (event) {
	case EVENT_LATE:
		report_failure(&call->report,
			"%s was not done within %lld s and was ended, as it waited %s; see what "
			"hangs, then try again.",
			call->name, (call->end - call->start) / 1000,
			call->doing[0] ? call->doing : "for a command of its own");
		break;
	case EVENT_SIGNAL:
		report_failure(&call->report, "%s was ended by %s before it was done; try again.",
			call->name, signal_name(call->signal));
		break;
	case EVENT_SOCKET:
	case EVENT_WORKER:
	case EVENT_SCRIPT:
		if (well && call->phase == PHASE_NONE)
			report_failure(&call->report,
				"%s ended without calling hotplug; its last line has to be: "
				"hotplug \"$@\".",
				call->name);
		else if (well ? call->phase != PHASE_ASK : !call->report.sentence[0])
			explain_status(call, status);
		break;
	}
}

/* Ends all that runs. Result: how bash has ended. */
static int stop_all(struct call *call)
{
	int status;

	if (!worker_stop(&call->worker, STOP_MS))
		report_line(&call->report,
			"A process that waited %s does not die; look for a device or server that "
			"hangs.",
			call->doing);
	if (!script_stop(&call->script, &status))
		report_line(&call->report,
			"The bash of %s does not die; look for a device or server that hangs.",
			call->name);
	/* The phase may be in it, by which it is known what there is to undo. */
	take_rest(call);
	script_close(&call->script);
	take_kept(call);
	drop_xen_lock(call);
	return status;
}

/* Runs bash once, until its end or the time's. */
static void run_script(struct call *call, const char *undo)
{
	int seconds = (int)((call->end - now_ms()) / 1000);
	enum event event;
	int status;

	call->phase = PHASE_NONE;
	call->last_length = 0;
	if (!script_start(
		    &call->script, call->argv, &call->arguments, seconds > 0 ? seconds : 1, undo)) {
		report_failure(&call->report, "%s cannot be started (%s); free some memory.",
			call->name, strerror(errno));
		stop_all(call);
		return;
	}
	inbox_free(&call->inbox);
	call->inbox.fd = call->script.socket;
	event = serve(call);
	status = stop_all(call);
	judge(call, event, status);
}

/* What a failed attach has done is undone as a detach does it, by a bash that knows the journal. */
static void undo(struct call *call)
{
	const char *how = call->phase == PHASE_PUBLISH ? "publish" : "attach";

	if (call->phase != PHASE_ATTACH && call->phase != PHASE_PUBLISH)
		return;
	report_line(&call->report, "undone:");
	call->undoing = true;
	call->end = call->start + call->undo_ms;
	run_script(call, how);
}

static void show_sentence(struct call *call)
{
	char line[SENTENCE_LIMIT + 8];
	int length = snprintf(line, sizeof(line), "%s\n", call->report.sentence);

	show(call, line, (size_t)length);
}

/* Tells the store, the log and standard error. */
static void report(struct call *call)
{
	char which[QUOTE_LIMIT * 2], id[DEVICE_TEXT_SIZE];
	char *argv[REPORT_LINES + 9] = {(char *)call->program, (char *)command_fail.name,
		"--status", call->report.busy ? "busy" : "error", "--", (char *)call->base,
		call->report.sentence, which};
	int argc = 8;
	struct worker_end end = {.text = NULL};

	snprintf(which, sizeof(which), "%s: %s of %s failed.", call->name,
		call->argv[1] ? call->argv[1] : "the call",
		call->arguments.device.type[0] ? device_text(&call->arguments.device, id)
					       : "no device");
	for (const char *line; (line = report_at(&call->report, (size_t)argc - 8)); argc++)
		argv[argc] = (char *)line;
	argv[argc] = NULL;
	call->undoing = true;
	call->end = call->start + call->report_ms;
	if (!worker_start(&call->worker, argc, argv, call->end)) {
		show_sentence(call);
		return;
	}
	if (wait_for(call, 0) == EVENT_WORKER)
		worker_collect(&call->worker, &end);
	else
		worker_stop(&call->worker, 0);
	worker_end_free(&end);
	/* It says the sentence, and then what the store has said to it. */
	char said[PIPE_BUF];
	ssize_t n = pread(call->worker.errors, said, sizeof(said), 0);
	if (n > 0)
		show(call, said, (size_t)n);
	else
		show_sentence(call);
}

/* Keeps that number free for the lock file, which may come later or not at all. */
static bool reserve_lock_descriptor(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || fd == SCRIPT_LOCK)
		return fd >= 0;
	bool done = dup3(fd, SCRIPT_LOCK, O_CLOEXEC) >= 0;
	close(fd);
	return done;
}

/* Opens the lock file as descriptor SCRIPT_LOCK. Result: false after a failure is noted. */
static bool open_lock(struct call *call)
{
	struct stat st;
	int directory = -1, fd = -1;
	const char *what = RUN_DIRECTORY;

	if (mkdir(RUN_DIRECTORY, 0700) && errno != EEXIST)
		goto failed;
	directory = open(RUN_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0 || fstat(directory, &st))
		goto failed;
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)) {
		report_failure(&call->report,
			"The directory %s can be written by others than root, so that what it "
			"holds cannot be trusted; see who made it, then remove it or run: chown "
			"root " RUN_DIRECTORY " && chmod 700 " RUN_DIRECTORY,
			RUN_DIRECTORY);
		close(directory);
		return false;
	}
	what = RUN_DIRECTORY "/" LOCK_FILE;
	fd = openat(directory, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		goto failed;
	if (dup3(fd, SCRIPT_LOCK, O_CLOEXEC) < 0)
		goto failed;
	close(fd);
	close(directory);
	return true;

failed:
	report_failure(&call->report,
		"Cannot open %s (%s); see whether its file system is full or read-only.", what,
		strerror(errno));
	if (directory >= 0)
		close(directory);
	if (fd >= 0)
		close(fd);
	return false;
}

static bool open_signals(struct call *call)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return false;
	call->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return call->signals >= 0;
}

/* What the call is for. Older callers give no path for a tap. */
static void find_device(struct call *call)
{
	const char *path = getenv("XENBUS_PATH"), *tap = getenv("INTERFACE");
	char text[DEVICE_TEXT_SIZE], made[sizeof("backend/") + DEVICE_TEXT_SIZE];
	struct device device;

	arguments_parse(call->argv + 1, path, &call->arguments);
	if ((!path || !*path) && !strcmp(call->arguments.type_if, "tap") && tap &&
		arguments_parse_tap(tap, &device)) {
		snprintf(made, sizeof(made), "backend/%s", device_text(&device, text));
		setenv("XENBUS_PATH", made, 1);
		path = getenv("XENBUS_PATH");
		arguments_parse(call->argv + 1, path, &call->arguments);
	}
	/* A person's call changes no node, and those of a stale device are gone. */
	call->base = call->arguments.device.type[0] && !*call->how &&
				     !arguments_by_person(&call->arguments)
			     ? path
			     : "";
}

/* The script's path, which must not depend on the directory that the caller is in. */
static bool make_absolute(char **path)
{
	char *whole = NULL, *here;

	if ((*path)[0] == '/')
		return true;
	here = getcwd(NULL, 0);
	bool made = here && asprintf(&whole, "%s/%s", here, *path) >= 0;
	free(here);
	if (made)
		*path = whole;
	return made;
}

/* Makes the process what a call needs, whoever has started it. Result: an exit status. */
static int begin(struct call *call)
{
	inherited_reset();
	signal(SIGPIPE, SIG_IGN);
	/* Else it is that of the script, whose interpreter this is. */
	prctl(PR_SET_NAME, "xen-hotplug");
	call->end = call->start + (ATTACH_MS < call->undo_ms ? ATTACH_MS : call->undo_ms);
	if (!make_absolute(&call->argv[0]))
		return complain(STATUS_FAILED,
			"The path %s is relative to a directory that is not known (%s); call the "
			"script by its absolute path.",
			QUOTED(call->argv[0]), strerror(errno));
	if (!reserve_lock_descriptor() || !open_signals(call) || !keep_open() || chdir("/"))
		return complain(STATUS_FAILED,
			"The call cannot begin (%s); see whether the system is out of descriptors "
			"or memory.",
			strerror(errno));
	call->name = strrchr(call->argv[0], '/') + 1;
	return STATUS_DONE;
}

/* Looks for the backend directory of a device: XENBUS_PATH is BASE/DOMID/DEVID. */
static enum stale look_for_backend(const struct device *device, char sentence[STALE_SENTENCE_SIZE])
{
	struct store store = STORE_CLOSED;
	enum stale stale = STALE_FAILED;
	const char *path = getenv("XENBUS_PATH");
	char *base = path ? strdup(path) : NULL, *slash;

	for (int i = 0; base && i < 2 && (slash = strrchr(base, '/')); i++)
		*slash = '\0';
	deadline_store(DEADLINE_DEFAULT);
	if (!base || store_open(&store))
		snprintf(sentence, SENTENCE_LIMIT,
			"Cannot connect to the store; see whether xenstored runs.");
	else
		stale = stale_judge(&store, base, device, sentence);
	deadline_clear();
	store_close(&store);
	free(base);
	return stale;
}

/*
 * Takes the lock of a device that is to be released because it is stale, without waiting, and looks
 * whether it still is. With a journal of an earlier boot it is in any case.
 */
static enum stale judge_stale(struct call *call)
{
	const struct device *device = &call->arguments.device;
	bool emulated = !strcmp(call->arguments.type_if, "tap");
	char text[DEVICE_TEXT_SIZE], sentence[STALE_SENTENCE_SIZE];
	struct journal_head head;

	if (!device->type[0]) {
		report_failure(&call->report, "XENBUS_PATH names no device; run xen-hotplug gc.");
		return STALE_FAILED;
	}
	if (!lock_try(SCRIPT_LOCK, device_text(device, text)))
		return STALE_LOCKED;
	if (journal_head_read(device, emulated ? JOURNAL_EMULATED : "", &head) &&
		!journal_is_current(&head))
		return STALE_RELEASED;
	enum stale stale = look_for_backend(device, sentence);
	if (stale == STALE_FAILED)
		report_failure(&call->report, "%s", sentence);
	return stale;
}

/* Does what is asked, and undoes what fails. */
static void attend(struct call *call)
{
	if (!strcmp(call->arguments.action, "none"))
		return;
	if (*call->how)
		call->status = judge_stale(call);
	if (call->status)
		return;
	run_script(call, call->how);
	if (call->report.sentence[0])
		undo(call);
}

static void call_free(struct call *call)
{
	report_free(&call->report);
	worker_free(&call->worker);
	inbox_free(&call->inbox);
	if (call->script.errors >= 0)
		close(call->script.errors);
}

/* Makes it the release of a stale device, which ends within so many seconds. */
static int be_stale(const struct command *command, struct call *call, const char *seconds)
{
	unsigned ms = option_seconds(command, "--stale", seconds);

	if (ms < STALE_LEAST_MS)
		return usage_error(command, "The option --stale needs at least %d s, not %s",
			STALE_LEAST_MS / 1000, QUOTED(seconds));
	call->how = "stale";
	call->undo_ms = (int)ms - STALE_ENDING_MS;
	call->report_ms = (int)ms - STALE_REPORTED_MS;
	return STATUS_DONE;
}

static int run_call(const struct command *command, int argc, char *argv[])
{
	static const struct option options[] = {
		{"stale", required_argument, NULL, 's'},
		OPTION_HELP,
	};
	struct call call = {
		.program = "xen-hotplug",
		.how = "",
		.start = now_ms(),
		.undo_ms = UNDO_MS,
		.report_ms = REPORT_MS,
		.xen_lock = -1,
		.signals = -1,
		.script = SCRIPT_NONE,
		.worker = WORKER_NONE,
		.inbox = {.fd = -1},
	};

	while (next_option(command, argc, argv, options) != -1)
		if (be_stale(command, &call, optarg))
			return STATUS_USAGE;
	if (argc == optind)
		return usage_error(command, "'call' needs a script");
	call.argv = argv + optind;
	if (begin(&call))
		return STATUS_FAILED;
	find_device(&call);
	if (arguments_only_ask(&call.arguments) || open_lock(&call))
		attend(&call);
	bool failed = call.report.sentence[0];
	if (failed)
		report(&call);
	call_free(&call);
	return failed ? STATUS_FAILED : call.status;
}

const struct command command_call = {
	.name = "call",
	.usage = "[--stale SECONDS] SCRIPT [ARGUMENT...]",
	.summary = "runs a device script, as the interpreter that its first line names",
	.help = "\n"
		"Starts bash on SCRIPT, and serves what the script asks for: the subcommands of\n"
		"this program, each in a process of its own. It holds the locks, keeps the time,\n"
		"and ends all that runs when the script ends, a signal comes, or the time is up:\n"
		"24 s for an attach, 34 s for a detach or for undoing an attach. Where an attach\n"
		"fails, a second bash undoes what the journal of the device names. The failure is\n"
		"written to hotplug-error, to the system log, and to standard error.\n"
		"\n"
		"The script sees nothing of the caller's environment but what libxl promises,\n"
		"PATH, XENSTORED_PATH and XEN_HOTPLUG_LOG.\n"
		"\n"
		"  --stale SECONDS  release the device if its backend directory is gone, and end\n"
		"                   within so long (at least 6); the exit status is 3 if it is\n"
		"                   not gone, 4 if the kernel still serves the device, and 5 if\n"
		"                   another script works on it\n",
	.run = run_call,
};
