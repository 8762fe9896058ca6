/* SPDX-License-Identifier: LGPL-2.1-only */
/* Exit statuses. */
#ifndef STATUS_H
#define STATUS_H

/*
 * The exit status of every subcommand but `run`. Functions of this program return the same values;
 * all but STATUS_DONE and STATUS_ABSENT mean that complain() has been called.
 */
enum status {
	STATUS_DONE = 0,   /* success */
	STATUS_FAILED = 1, /* failed */
	STATUS_USAGE = 2,  /* the arguments are wrong */
	STATUS_ABSENT = 3, /* the node or device does not exist (any more) */
	STATUS_BUSY = 4,   /* refused, because the disk is in use */
	STATUS_LATE = 5,   /* the deadline passed */
	STATUS_LOCKED = 6, /* the lock that it was to take first was not taken */
};

#endif
