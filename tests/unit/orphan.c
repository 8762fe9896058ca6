/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * LD_PRELOAD=orphan.so: what the program starts is not killed when the program ends. So a test
 * has as long as it likes for what is otherwise true for a moment.
 */
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int prctl(int option, ...)
{
	unsigned long values[4];
	va_list arguments;

	va_start(arguments, option);
	for (int i = 0; i < 4; i++)
		values[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	if (option == PR_SET_PDEATHSIG)
		return 0;
	return (int)syscall(SYS_prctl, option, values[0], values[1], values[2], values[3]);
}
