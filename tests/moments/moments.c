/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * moments, which runs a command and sends signals to its processes at chosen moments.
 *
 *   moments [--log FILE] [--at ROLE:N:SIGNAL]... COMMAND [ARGUMENT...]
 *
 * A moment is the entry of a system call that changes something outside of the
 * process, or waits for somebody (calls.c lists them). One that is repeated, as
 * a signal had interrupted it, is the same moment. Each role counts its moments
 * from 1, over all of its processes, in the order in which they happen:
 *
 *   parent   COMMAND's own process, whatever it executes
 *   script   a child of the parent, from the execve on with which it starts a program
 *   worker   a child of the parent, until then
 *   command  all other descendants
 *
 * --log   the file gets a line for each moment: ROLE N NAME PID. One of a
 *         process that --at has stopped gets another: ROLE N stopped PID, once
 *         the process has stopped.
 * --at    then SIGNAL (KILL, STOP, TERM, INT, HUP or CONT) is sent to the process
 *         that comes to that moment, and to no other. The call does not happen
 *         before the process has taken the signal: never, where that ends it;
 *         after SIGCONT, where that stops it. A blocked signal delays nothing.
 *
 * A process that was stopped is so for all others, although /proc shows its
 * state as t while it is traced, and as T only later.
 *
 * All of that ends with the parent: other processes go on by themselves, or stay
 * stopped. Exit status: the parent's; a signal that ended it ends this program,
 * too. 125 if this program itself fails, 2 for a wrong usage. SIGTERM, SIGINT and
 * SIGHUP are passed on to the parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

#define EXIT_USAGE 2
#define EXIT_OWN 125
#define EXIT_UNSTARTED 127

#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
		PTRACE_O_TRACEEXEC)
#define STOP_AT_CALL (SIGTRAP | 0x80)

enum role { PARENT, SCRIPT, WORKER, COMMAND, ROLES };

static const char *const role_names[ROLES] = {"parent", "script", "worker", "command"};

static const struct signal_name {
	const char *name;
	int number;
} signal_names[] = {{"KILL", SIGKILL}, {"STOP", SIGSTOP}, {"TERM", SIGTERM}, {"INT", SIGINT},
	{"HUP", SIGHUP}, {"CONT", SIGCONT}};

struct at {
	enum role role;
	unsigned long number;
	int signal;
};

/* A call that was made and will be repeated. */
struct repeat {
	uint64_t number, ip, sp;
	bool expected;
	bool returned; /* the signal handler that came between has ended */
};

/* A thread. Its process is the thread that the process began with. */
struct task {
	struct task *next;
	struct task *process; /* NULL until whoever started it has said so */
	pid_t tid;
	int held; /* the stop in which it waits for that */
	enum role role;
	uint64_t call; /* the last one that it began */
	struct repeat repeat;
	const struct at *stopping;
};

struct tracer {
	struct task *tasks;
	struct at *ats;
	size_t at_count;
	unsigned long counts[ROLES];
	const char *log_file;
	int log;
	pid_t first;
	bool begun; /* COMMAND is what it runs */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "moments: %s: %s.\n", what, strerror(errno));
	exit(EXIT_OWN);
}

static struct task *find_task(const struct tracer *tracer, pid_t tid)
{
	struct task *task = tracer->tasks;

	while (task && task->tid != tid)
		task = task->next;
	return task;
}

static struct task *add_task(struct tracer *tracer, pid_t tid)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		die("A task");
	task->tid = tid;
	task->next = tracer->tasks;
	tracer->tasks = task;
	return task;
}

static void remove_task(struct tracer *tracer, pid_t tid)
{
	struct task **link = &tracer->tasks, *task;

	while (*link && (*link)->tid != tid)
		link = &(*link)->next;
	task = *link;
	if (task)
		*link = task->next;
	free(task);
}

/* It lets the task run, to its next system call; it may just have been killed. */
static void resume(const struct task *task, int signal)
{
	ptrace(PTRACE_SYSCALL, task->tid, NULL, (long)signal);
}

static void log_line(const struct tracer *tracer, const struct task *task, unsigned long number,
	const char *what)
{
	if (tracer->log >= 0)
		dprintf(tracer->log, "%s %lu %s %d\n", role_names[task->process->role], number,
			what, (int)task->process->tid);
}

/* Is this moment one that was there before, as nothing but a signal handler came between? */
static bool is_repeated(struct task *task, const struct __ptrace_syscall_info *info)
{
	struct repeat *repeat = &task->repeat;
	bool same = repeat->expected && task->call == repeat->number &&
		    info->instruction_pointer == repeat->ip && info->stack_pointer == repeat->sp;

	if (repeat->returned || info->stack_pointer >= repeat->sp)
		repeat->expected = false;
	return same;
}

static void expect_repeat(struct task *task, const struct __ptrace_syscall_info *info)
{
	task->repeat = (struct repeat){
		.number = task->call,
		.ip = info->instruction_pointer,
		.sp = info->stack_pointer,
		.expected = true,
	};
}

/* Sends what is due at that moment of the task. */
static void send_signals(struct tracer *tracer, struct task *task, unsigned long number,
	const struct __ptrace_syscall_info *info)
{
	bool put_off = false;

	for (size_t i = 0; i < tracer->at_count; i++) {
		const struct at *at = &tracer->ats[i];

		if (at->role != task->process->role || at->number != number)
			continue;
		kill(task->process->tid, at->signal);
		put_off |= at->signal != SIGKILL;
		if (at->signal == SIGSTOP)
			task->process->stopping = at;
	}
	if (!put_off)
		return;
	if (call_put_off(task->tid))
		expect_repeat(task, info);
	else if (errno != ESRCH)
		die("A call that cannot be put off");
}

static void enter_call(
	struct tracer *tracer, struct task *task, const struct __ptrace_syscall_info *info)
{
	const char *name;

	task->call = info->entry.nr;
	name = call_moment(task->call, info->entry.args);
	if (!name || !tracer->begun || is_repeated(task, info))
		return;
	if (task->process->role == WORKER && call_is_exec(task->call))
		task->process->role = SCRIPT;
	tracer->counts[task->process->role]++;
	log_line(tracer, task, tracer->counts[task->process->role], name);
	send_signals(tracer, task, tracer->counts[task->process->role], info);
}

static void leave_call(struct task *task, const struct __ptrace_syscall_info *info)
{
	if (call_is_sigreturn(task->call))
		task->repeat.returned |= info->stack_pointer == task->repeat.sp;
	else if (call_is_restarted(info->exit.rval))
		expect_repeat(task, info);
}

static void stop_at_call(struct tracer *tracer, struct task *task)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info) > 0 &&
		call_arch_is_own(info.arch)) {
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			enter_call(tracer, task, &info);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			leave_call(task, &info);
	}
	resume(task, 0);
}

/* It stays stopped as it would without a tracer, or it is to run on. */
static void stop_in_group(struct tracer *tracer, struct task *task, int signal)
{
	const struct at *at = task->process->stopping;

	if (signal == SIGTRAP) {
		resume(task, 0);
		return;
	}
	ptrace(PTRACE_LISTEN, task->tid, NULL, 0L);
	if (!at)
		return;
	log_line(tracer, task, at->number, "stopped");
	task->process->stopping = NULL;
}

static void stop(struct tracer *tracer, struct task *task, int status);

/* The task has started another one, which may have reported itself before. */
static void add_child(struct tracer *tracer, const struct task *task, pid_t tid)
{
	bool is_thread = syscall(SYS_tgkill, tid, tid, 0) < 0;
	struct task *child = find_task(tracer, tid);
	int held;

	if (kill(tid, 0) < 0) /* it has ended before this was known */
		return;
	if (!child)
		child = add_task(tracer, tid);
	child->process = is_thread ? task->process : child;
	child->role = task->process->role == PARENT ? WORKER : COMMAND;
	held = child->held;
	child->held = 0;
	if (held)
		stop(tracer, child, held);
}

/* What a thread executes, its process does, under the number of that. */
static void change_image(struct tracer *tracer, struct task *task, pid_t former)
{
	if (former != task->tid)
		remove_task(tracer, former);
	task->repeat.expected = false;
	tracer->begun = true;
}

static void stop_at_event(struct tracer *tracer, struct task *task, int event)
{
	unsigned long message = 0;

	if (ptrace(PTRACE_GETEVENTMSG, task->tid, NULL, &message) == 0) {
		if (event == PTRACE_EVENT_EXEC)
			change_image(tracer, task, (pid_t)message);
		else
			add_child(tracer, task, (pid_t)message);
	}
	resume(task, 0);
}

static void stop(struct tracer *tracer, struct task *task, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);

	if (!task->process)
		task->held = status;
	else if (signal == STOP_AT_CALL)
		stop_at_call(tracer, task);
	else if (event == PTRACE_EVENT_STOP)
		stop_in_group(tracer, task, signal);
	else if (event)
		stop_at_event(tracer, task, event);
	else
		resume(task, signal);
}

/* Waits until a process has news, and passes on what comes for the parent. */
static void await_news(const struct tracer *tracer, const sigset_t *signals)
{
	int signal = sigwaitinfo(signals, NULL);

	if (signal > 0 && signal != SIGCHLD)
		kill(tracer->first, signal);
}

/* Result: the status of the first process. */
static int trace(struct tracer *tracer, const sigset_t *signals)
{
	int status;

	for (;;) {
		pid_t tid = waitpid(-1, &status, __WALL | WNOHANG);

		if (tid < 0)
			die("No process");
		if (tid == 0)
			await_news(tracer, signals);
		else if (WIFSTOPPED(status)) {
			struct task *task = find_task(tracer, tid);

			stop(tracer, task ? task : add_task(tracer, tid), status);
		} else {
			if (tid == tracer->first)
				return status;
			remove_task(tracer, tid);
		}
	}
}

/* In the new process: waits until it is traced, and becomes the command. */
static _Noreturn void become(char *command[], int go)
{
	char byte;

	if (read(go, &byte, 1) == 1) {
		execvp(command[0], command);
		fprintf(stderr, "moments: %s: %s.\n", command[0], strerror(errno));
	}
	_exit(EXIT_UNSTARTED);
}

static void start(struct tracer *tracer, char *command[])
{
	int go[2];
	struct task *task;

	if (pipe2(go, O_CLOEXEC) < 0)
		die("A pipe");
	tracer->first = fork();
	if (tracer->first < 0)
		die("A process");
	if (tracer->first == 0) {
		close(go[1]);
		become(command, go[0]);
	}
	if (ptrace(PTRACE_SEIZE, tracer->first, NULL, (long)OPTIONS) < 0)
		die("PTRACE_SEIZE");
	task = add_task(tracer, tracer->first);
	task->process = task;
	task->role = PARENT;
	if (write(go[1], "", 1) != 1)
		die("A pipe");
	close(go[0]);
	close(go[1]);
}

/* Blocks what is to be awaited. The command has what was inherited. */
static void block(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGCHLD);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	sigprocmask(SIG_BLOCK, signals, NULL);
	signal(SIGCHLD, SIG_DFL);
}

/* Ends as a process with that status did. */
static int end_as(int status)
{
	sigset_t one;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	sigemptyset(&one);
	sigaddset(&one, WTERMSIG(status));
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	signal(WTERMSIG(status), SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static bool parse_role(enum role *role, const char *text, size_t length)
{
	for (int i = 0; i < ROLES; i++)
		if (strlen(role_names[i]) == length && !strncmp(role_names[i], text, length)) {
			*role = (enum role)i;
			return true;
		}
	return false;
}

static bool parse_signal(int *number, const char *name)
{
	for (size_t i = 0; i < sizeof(signal_names) / sizeof(signal_names[0]); i++)
		if (!strcmp(signal_names[i].name, name)) {
			*number = signal_names[i].number;
			return true;
		}
	return false;
}

static bool parse_at(struct at *at, const char *text)
{
	const char *colon = strchr(text, ':');
	char *end;

	if (!colon || !parse_role(&at->role, text, (size_t)(colon - text)))
		return false;
	at->number = strtoul(colon + 1, &end, 10);
	return at->number > 0 && *end == ':' && parse_signal(&at->signal, end + 1);
}

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: moments [--log FILE] [--at ROLE:N:SIGNAL]... COMMAND [ARGUMENT...]\n");
	exit(EXIT_USAGE);
}

static void parse(struct tracer *tracer, int argc, char *argv[])
{
	static const struct option options[] = {
		{"log", required_argument, NULL, 'l'}, {"at", required_argument, NULL, 'a'}, {0}};
	int option;

	tracer->ats = calloc((size_t)argc, sizeof(tracer->ats[0]));
	if (!tracer->ats)
		die("The arguments");
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'l')
			tracer->log_file = optarg;
		else if (option != 'a' || !parse_at(&tracer->ats[tracer->at_count++], optarg))
			usage();
	}
	if (optind == argc)
		usage();
}

static int open_log(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		die(file);
	return fd;
}

int main(int argc, char *argv[])
{
	struct tracer tracer = {.log = -1};
	sigset_t signals;
	int status;

	parse(&tracer, argc, argv);
	if (tracer.log_file)
		tracer.log = open_log(tracer.log_file);
	start(&tracer, &argv[optind]);
	block(&signals);
	status = trace(&tracer, &signals);
	while (tracer.tasks)
		remove_task(&tracer, tracer.tasks->tid);
	free(tracer.ats);
	return end_as(status);
}
