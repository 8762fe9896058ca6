/* SPDX-License-Identifier: LGPL-2.1-only */
/* System calls: which of them are moments, and how one is put off. */
#include "calls.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/dm-ioctl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

/* The kernel's own results, which a program never sees. */
#define RESULT_ERESTARTSYS (-512)
#define RESULT_ERESTARTNOINTR (-513)
#define RESULT_ERESTARTNOHAND (-514)
#define RESULT_ERESTART_RESTARTBLOCK (-516)

/* What only asks. */
static const uint32_t asking[] = {
	/* terminals */
	TCGETS, TIOCGWINSZ, TIOCGPGRP, TIOCGSID, FIONREAD,
	/* block devices */
	LOOP_GET_STATUS, LOOP_GET_STATUS64, BLKROGET, BLKGETSIZE, BLKGETSIZE64, BLKSSZGET,
	BLKPBSZGET, BLKBSZGET, BLKRAGET, BLKFRAGET, BLKSECTGET, BLKIOMIN, BLKIOOPT, BLKALIGNOFF,
	BLKROTATIONAL, BLKDISCARDZEROES, FIGETBSZ, FS_IOC_FIEMAP,
	/* the device mapper */
	(uint32_t)DM_VERSION, (uint32_t)DM_LIST_DEVICES, (uint32_t)DM_DEV_STATUS,
	(uint32_t)DM_TABLE_STATUS, (uint32_t)DM_TABLE_DEPS, (uint32_t)DM_LIST_VERSIONS,
	/* interfaces */
	SIOCGIFNAME, SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR,
	SIOCGIFNETMASK, SIOCGIFMETRIC, SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFTXQLEN,
	SIOCGIFMAP, SIOCGARP};

static bool is_change(const uint64_t *args)
{
	for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++)
		if ((uint32_t)args[1] == asking[i])
			return false;
	return true;
}

static bool is_lock(const uint64_t *args)
{
	return args[1] == F_OFD_SETLK || args[1] == F_OFD_SETLKW;
}

static bool makes_file(const uint64_t *args)
{
	return args[2] & O_CREAT;
}

#ifdef SYS_open
static bool open_makes_file(const uint64_t *args)
{
	return args[1] & O_CREAT;
}
#endif

#define CALL(name) CALL_IF(name, NULL)
#define CALL_IF(name, condition)                                                                   \
	{                                                                                          \
		SYS_##name, #name, condition                                                       \
	}

static const struct call {
	uint64_t number;
	const char *name;
	bool (*condition)(const uint64_t *args);
} calls[] = {
	CALL(write),
	CALL(wait4),
	CALL(clone),
	CALL(execve),
	CALL(exit_group),
	CALL(sendto),
	CALL(sendmsg),
	CALL(connect),
	CALL(writev),
	CALL(kill),
	CALL(waitid),
	CALL(unlinkat),
	CALL(ftruncate),
	CALL(mkdirat),
	CALL(clone3),
	CALL(pidfd_send_signal),
	CALL_IF(openat, makes_file),
	CALL_IF(ioctl, is_change),
	CALL_IF(fcntl, is_lock),
	CALL(execveat),
	CALL(tgkill),
	CALL(sendmmsg),
	CALL(pwrite64),
	CALL(sendfile),
	CALL(copy_file_range),
	CALL(fallocate),
	CALL(truncate),
	CALL(flock),
	CALL(renameat),
	CALL(renameat2),
	CALL(linkat),
	CALL(symlinkat),
	CALL(mknodat),
	CALL(mount),
	CALL(umount2),
#ifdef SYS_open /* arm64 lacks these */
	CALL(fork),
	CALL(vfork),
	CALL_IF(open, open_makes_file),
	CALL(creat),
	CALL(unlink),
	CALL(mkdir),
	CALL(rmdir),
	CALL(rename),
	CALL(link),
	CALL(symlink),
	CALL(mknod),
#endif
};

const char *call_moment(uint64_t number, const uint64_t *args)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return !calls[i].condition || calls[i].condition(args) ? calls[i].name
									       : NULL;
	return NULL;
}

bool call_is_exec(uint64_t number)
{
	return number == SYS_execve || number == SYS_execveat;
}

bool call_is_sigreturn(uint64_t number)
{
	return number == SYS_rt_sigreturn;
}

bool call_is_restarted(int64_t result)
{
	return result == RESULT_ERESTARTSYS || result == RESULT_ERESTARTNOINTR ||
	       result == RESULT_ERESTARTNOHAND || result == RESULT_ERESTART_RESTARTBLOCK;
}

/*
 * The kernel skips a call whose number is -1. The program's next instruction
 * becomes the one that makes the call, so that the program makes it again, with
 * the same registers.
 */
#if defined(__x86_64__)

bool call_arch_is_own(uint32_t arch)
{
	return arch == AUDIT_ARCH_X86_64;
}

bool call_put_off(pid_t tid)
{
	struct user_regs_struct regs;
	struct iovec all = {&regs, sizeof(regs)};

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all) < 0)
		return false;
	regs.rip -= 2;
	regs.rax = regs.orig_rax;
	regs.orig_rax = (unsigned long long)-1;
	return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &all) == 0;
}

#elif defined(__aarch64__)

bool call_arch_is_own(uint32_t arch)
{
	return arch == AUDIT_ARCH_AARCH64;
}

bool call_put_off(pid_t tid)
{
	int number = -1;
	struct user_regs_struct regs;
	struct iovec all = {&regs, sizeof(regs)}, call = {&number, sizeof(number)};

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all) < 0)
		return false;
	regs.pc -= 4;
	return ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &call) == 0 &&
	       ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &all) == 0;
}

#else
#error "Say here how a system call is put off on this architecture."
#endif
