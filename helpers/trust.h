/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whether root may run a script whose path comes from a file. */
#ifndef TRUST_H
#define TRUST_H

/* What a script is. */
enum trust {
	TRUST_GIVEN,  /* only those can change it who can change this framework */
	TRUST_ABSENT, /* there is none */
	TRUST_PATH,   /* the path is not absolute, or has ".." in it */
	TRUST_KIND,   /* it is no regular file */
	TRUST_OTHERS, /* others can change or replace it */
};

/*
 * Examines the script at `path`, and each directory on the way to it. The owner of all of them has
 * to be root, or that of `own`, a file of this framework; and nobody else may write them, as far as
 * nobody else may write `own`. Links are followed.
 */
enum trust trust_examine(const char *path, const char *own);

#endif
