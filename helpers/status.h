/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the program's exit status says. */
#ifndef STATUS_H
#define STATUS_H

/*
 * The exit status of every subcommand but `run`, and what the functions of this program return
 * where they have already told the person what went wrong (see complain()).
 */
enum status {
	STATUS_DONE = 0,   /* it was done */
	STATUS_FAILED = 1, /* it could not be done */
	STATUS_USAGE = 2,  /* the arguments are wrong */
	STATUS_ABSENT = 3, /* what it was to work on is not there (any more) */
	STATUS_BUSY = 4,   /* refused, because somebody uses it */
	STATUS_LATE = 5,   /* the deadline passed */
};

#endif
